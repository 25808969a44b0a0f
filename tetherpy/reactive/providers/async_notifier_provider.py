"""``AsyncNotifierProvider``: an awaited state with the methods that change it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, ParamSpec, Protocol, TypeAlias, TypeVar

from ..asynchronous.async_provider_base import AsyncProviderBase
from ..asynchronous.async_value import AsyncState, AsyncValue
from ..asynchronous.sources import begin_future
from ..container.overrides import Override
from ..container.ref import NotifierRef
from ..graph.element import Element
from ..graph.retry import Retry
from .notifiers.notifier_build import attach_async_notifier, attach_async_notifier_build, attach_async_notifier_value
from .notifiers.notifier_family import NotifierFamily, build_override
from .notifiers.notifier_of import NotifierOf
from .provider_options import AUTO_DISPOSE, DEFAULT, ProviderOptions, make_options

N = TypeVar("N")
T = TypeVar("T")
P = ParamSpec("P")
N_co = TypeVar("N_co", covariant=True)
T_co = TypeVar("T_co", covariant=True)

_Build: TypeAlias = "Callable[[NotifierRef[AsyncState[T]], N], Awaitable[T] | T]"


class AsyncNotifierLike(Protocol[N_co, T_co]):
    """A AsyncNotifier of type ``N_co`` whose data is a ``T_co``."""

    def __provides_async__(self) -> tuple[N_co, T_co]:
        """Tie the two types together for type checkers."""
        ...

    def build(self) -> Awaitable[T_co] | T_co:
        """Return the first data."""
        ...


class AsyncNotifierProvider(AsyncProviderBase[T], Generic[N, T]):
    """The state of an ``AsyncNotifier``, watched as an AsyncValue.

    Args:
        create: the notifier's class, or a function that returns a new instance.
        name: shown instead of the class's name.
        auto_dispose: dispose the state when nobody uses it any more.
        dependencies: the scoped providers it uses; naming any (or none: ``[]``) makes it scoped.
        retry: when to build it again after a failure.
    """

    __slots__ = ()

    build_type = NotifierRef
    auto_dispose: ClassVar[AsyncNotifierProviderBuilder]
    family: ClassVar[AsyncNotifierProviderFamilyBuilder]

    if TYPE_CHECKING:

        def __init__(
            self,
            create: Callable[[], AsyncNotifierLike[N, T]],
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
    ) -> AsyncNotifierProviderBuilder:
        """Return a declaration with these options; ``.family`` of it declares a family."""
        return AsyncNotifierProviderBuilder(make_options(name, auto_dispose, dependencies, retry))

    @property
    def notifier(self) -> NotifierOf[N]:
        """The notifier itself, to call its methods; watching it does not rebuild when the state changes."""
        return NotifierOf(self)

    def attach_with(self, element: Element, create: Callable[..., Any]) -> None:
        """Prepare an element with a function that makes the notifier."""
        attach_async_notifier(element, create, begin_future)

    def attach_build(self, element: Element, build: Callable[[Any, Any], Any]) -> None:
        """Prepare an element with another ``build`` of this provider's notifier."""
        attach_async_notifier_build(element, self._create, build, begin_future)

    def override_with(self, create: Callable[[], AsyncNotifierLike[N, T]]) -> Override:
        """Return an override with another notifier."""
        return self.override_create(create)

    def override_with_build(self, build: _Build[T, N]) -> Override:
        """Return an override of the notifier's ``build`` alone: ``build(ref, notifier)``."""
        return build_override(self, build, streams=self.streams)

    def override_with_value(self, value: AsyncValue[T]) -> Override:
        """Return an override with another first state, such as ``AsyncData(user)``; the notifier's methods stay."""
        return Override(self, lambda element, _: attach_async_notifier_value(element, self._create, value))


class AsyncNotifierProviderBuilder:
    """Declares ``AsyncNotifierProvider``s with options."""

    __slots__ = ("_options",)

    def __init__(self, options: ProviderOptions) -> None:
        self._options = options

    def __call__(self, create: Callable[[], AsyncNotifierLike[N, T]]) -> AsyncNotifierProvider[N, T]:
        """Declare a provider."""
        return AsyncNotifierProvider[N, T].made(create, self._options)

    @property
    def family(self) -> AsyncNotifierProviderFamilyBuilder:
        """Declares families with the same options."""
        return AsyncNotifierProviderFamilyBuilder(self._options)


class AsyncNotifierProviderFamilyBuilder:
    """Declares families of ``AsyncNotifierProvider``s."""

    __slots__ = ("_options",)

    def __init__(self, options: ProviderOptions) -> None:
        self._options = options

    def __call__(
        self, create: Callable[P, AsyncNotifierLike[N, T]]
    ) -> NotifierFamily[
        P,
        Callable[P, AsyncNotifierLike[N, T]],
        AsyncNotifierProvider[N, T],
        _Build[T, N],
    ]:
        """Declare a family; its arguments are those of the notifier's constructor."""
        return NotifierFamily(create, self._options, AsyncNotifierProvider[N, T].made, passes_ref=False)


AsyncNotifierProvider.auto_dispose = AsyncNotifierProviderBuilder(AUTO_DISPOSE)
AsyncNotifierProvider.family = AsyncNotifierProviderFamilyBuilder(DEFAULT)
