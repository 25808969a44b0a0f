"""``NotifierProvider``: a state with the methods that change it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, ParamSpec, Protocol, TypeVar

from ..container.overrides import Override
from ..container.ref import NotifierRef
from ..graph.element import Element
from ..graph.retry import Retry
from .notifiers.notifier_build import attach_notifier, attach_notifier_build
from .notifiers.notifier_family import NotifierFamily, build_override
from .notifiers.notifier_of import NotifierOf
from .provider import ProviderBase
from .provider_options import AUTO_DISPOSE, DEFAULT, ProviderOptions, make_options

N = TypeVar("N")
T = TypeVar("T")
P = ParamSpec("P")
N_co = TypeVar("N_co", covariant=True)
T_co = TypeVar("T_co", covariant=True)


class NotifierLike(Protocol[N_co, T_co]):
    """A Notifier of type ``N_co`` whose state is a ``T_co``."""

    def __provides__(self) -> tuple[N_co, T_co]:
        """Tie the two types together for type checkers."""
        ...

    def build(self) -> T_co:
        """Return the first state."""
        ...


class NotifierProvider(ProviderBase[T], Generic[N, T]):
    """The state of a ``Notifier``, and the notifier itself through ``.notifier``.

    Args:
        create: the notifier's class, or a function that returns a new instance.
        name: shown instead of the class's name.
        auto_dispose: dispose the state when nobody uses it any more.
        dependencies: the scoped providers it uses; naming any (or none: ``[]``) makes it scoped.
        retry: when to build it again after a failure.
    """

    __slots__ = ()

    build_type = NotifierRef
    auto_dispose: ClassVar[NotifierProviderBuilder]
    family: ClassVar[NotifierProviderFamilyBuilder]

    if TYPE_CHECKING:

        def __init__(
            self,
            create: Callable[[], NotifierLike[N, T]],
            *,
            name: str | None = None,
            auto_dispose: bool = False,
            dependencies: Iterable[Any] | None = None,
            retry: Retry | None = None,
        ) -> None: ...

    @staticmethod
    def options(
        *,
        name: str | None = None,
        auto_dispose: bool = False,
        dependencies: Iterable[Any] | None = None,
        retry: Retry | None = None,
    ) -> NotifierProviderBuilder:
        """Return a declaration with these options; ``.family`` of it declares a family."""
        return NotifierProviderBuilder(make_options(name, auto_dispose, dependencies, retry))

    @property
    def notifier(self) -> NotifierOf[N]:
        """The notifier itself, to call its methods; watching it does not rebuild when the state changes."""
        return NotifierOf(self)

    def attach_with(self, element: Element, create: Callable[..., Any]) -> None:
        """Prepare an element with a function that makes the notifier."""
        attach_notifier(element, create)

    def attach_build(self, element: Element, build: Callable[[Any, Any], Any]) -> None:
        """Prepare an element with another ``build`` of this provider's notifier."""
        attach_notifier_build(element, self._create, build)

    def override_with(self, create: Callable[[], NotifierLike[N, T]]) -> Override:
        """Return an override with another notifier."""
        return self.override_create(create)

    def override_with_build(self, build: Callable[[NotifierRef[T], N], T]) -> Override:
        """Return an override of the notifier's ``build`` alone: ``build(ref, notifier)``."""
        return build_override(self, build, streams=self.streams)

    def override_with_value(self, value: T) -> Override:
        """Return an override with another first state; the notifier's methods stay."""
        return self.override_with_build(lambda ref, notifier: value)


class NotifierProviderBuilder:
    """Declares ``NotifierProvider``s with options."""

    __slots__ = ("_options",)

    def __init__(self, options: ProviderOptions) -> None:
        self._options = options

    def __call__(self, create: Callable[[], NotifierLike[N, T]]) -> NotifierProvider[N, T]:
        """Declare a provider."""
        return NotifierProvider[N, T].made(create, self._options)

    @property
    def family(self) -> NotifierProviderFamilyBuilder:
        """Declares families with the same options."""
        return NotifierProviderFamilyBuilder(self._options)


class NotifierProviderFamilyBuilder:
    """Declares families of ``NotifierProvider``s."""

    __slots__ = ("_options",)

    def __init__(self, options: ProviderOptions) -> None:
        self._options = options

    def __call__(
        self, create: Callable[P, NotifierLike[N, T]]
    ) -> NotifierFamily[P, Callable[P, NotifierLike[N, T]], NotifierProvider[N, T], Callable[[NotifierRef[T], N], T]]:
        """Declare a family; its arguments are those of the notifier's constructor."""
        return NotifierFamily(create, self._options, NotifierProvider[N, T].made, passes_ref=False)


NotifierProvider.auto_dispose = NotifierProviderBuilder(AUTO_DISPOSE)
NotifierProvider.family = NotifierProviderFamilyBuilder(DEFAULT)
