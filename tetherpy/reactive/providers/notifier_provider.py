"""``NotifierProvider``: a state with methods that change it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, ParamSpec, Protocol, TypeVar, Unpack

from ..container.overrides import Override
from ..container.ref import NotifierRef
from ..graph.element import Element
from .builders import Builder, FamilyBuilder
from .notifiers.notifier_build import attach_notifier, attach_notifier_build
from .notifiers.notifier_family import NotifierFamily, build_override
from .notifiers.notifier_of import NotifierOf
from .provider import ProviderBase
from .provider_options import AUTO_DISPOSE, DEFAULT, OptionArguments, make_options

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
    """The state of a ``Notifier``; ``.notifier`` is the notifier itself.

    Args:
        create: the notifier's class, or a function that returns a new instance.
        **options: ``name``, ``auto_dispose``, ``dependencies``, ``retry`` and ``scope``, as in ``ProviderOptions``.
    """

    __slots__ = ()

    build_type = NotifierRef
    takes_ref = False
    auto_dispose: ClassVar[NotifierProviderBuilder]
    family: ClassVar[NotifierProviderFamilyBuilder]

    if TYPE_CHECKING:

        def __init__(
            self,
            create: Callable[[], NotifierLike[N, T]],
            **options: Unpack[OptionArguments],
        ) -> None: ...

    @staticmethod
    def options(**options: Unpack[OptionArguments]) -> NotifierProviderBuilder:
        """Return ``@NotifierProvider`` with these options preset; its ``.family`` declares families with them."""
        return NotifierProviderBuilder(make_options(**options), NotifierProviderFamilyBuilder)

    @property
    def notifier(self) -> NotifierOf[N]:
        """The notifier, to call its methods; watching it does not rebuild when the state changes."""
        return NotifierOf(self)

    def attach_with(self, element: Element, create: Callable[..., Any]) -> None:
        """Prepare an element with a function that creates the notifier."""
        attach_notifier(element, create)

    def attach_build(self, element: Element, build: Callable[[Any, Any], Any]) -> None:
        """Prepare an element with another ``build`` of this provider's notifier."""
        attach_notifier_build(element, self._create, build)

    def override_with(self, create: Callable[[], NotifierLike[N, T]]) -> Override:
        """Return an override with another notifier."""
        return self.override_create(create)

    def override_with_build(self, build: Callable[[NotifierRef[T], N], T]) -> Override:
        """Return an override of only the notifier's ``build``, with ``build(ref, notifier)``."""
        return build_override(self, build, streams=self.streams)

    def override_with_value(self, value: T) -> Override:
        """Return an override with another first state; the notifier's methods stay."""
        return self.override_with_build(lambda ref, notifier: value)


class NotifierProviderBuilder(Builder["NotifierProviderFamilyBuilder"]):
    """Declares ``NotifierProvider`` with options."""

    __slots__ = ()

    def __call__(self, create: Callable[[], NotifierLike[N, T]]) -> NotifierProvider[N, T]:
        """Declare a provider."""
        return NotifierProvider[N, T].made(create, self._options)


class NotifierProviderFamilyBuilder(FamilyBuilder):
    """Declares families of ``NotifierProvider`` with options."""

    __slots__ = ()

    def __call__(
        self, create: Callable[P, NotifierLike[N, T]]
    ) -> NotifierFamily[P, Callable[P, NotifierLike[N, T]], NotifierProvider[N, T], Callable[[NotifierRef[T], N], T]]:
        """Declare a family; its arguments are the parameters of the notifier's constructor."""
        return NotifierFamily(create, self._options, NotifierProvider[N, T].made, passes_ref=False)


NotifierProvider.auto_dispose = NotifierProviderBuilder(AUTO_DISPOSE, NotifierProviderFamilyBuilder)
NotifierProvider.family = NotifierProviderFamilyBuilder(DEFAULT)
