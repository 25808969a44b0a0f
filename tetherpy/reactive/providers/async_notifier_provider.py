"""``AsyncNotifierProvider``: an awaited state with methods that change it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar, Generic, ParamSpec, Protocol, TypeAlias, TypeVar, Unpack

from ..asynchronous.async_value import AsyncState
from ..asynchronous.begin_source import begin_future
from ..container.overrides import Override
from ..container.ref import NotifierRef
from .builders import Builder, FamilyBuilder
from .notifiers.async_notifier_provider_base import AsyncNotifierProviderBase
from .notifiers.notifier_family import NotifierFamily, build_override
from .provider_options import AUTO_DISPOSE, DEFAULT, OptionArguments, make_options

N = TypeVar("N")
T = TypeVar("T")
P = ParamSpec("P")
N_co = TypeVar("N_co", covariant=True)
T_co = TypeVar("T_co", covariant=True)

_Build: TypeAlias = "Callable[[NotifierRef[AsyncState[T]], N], Awaitable[T] | T]"


class AsyncNotifierLike(Protocol[N_co, T_co]):
    """An AsyncNotifier of type ``N_co`` whose data is a ``T_co``."""

    def __provides_async__(self) -> tuple[N_co, T_co]:
        """Tie the two types together for type checkers."""
        ...

    def build(self) -> Awaitable[T_co] | T_co:
        """Return the first data."""
        ...


class AsyncNotifierProvider(AsyncNotifierProviderBase[N, T], Generic[N, T]):
    """The state of an ``AsyncNotifier``, watched as an AsyncValue.

    Args:
        create: the notifier's class, or a function that returns a new instance.
        **options: ``name``, ``auto_dispose``, ``dependencies``, ``retry`` and ``scope``, as in ``ProviderOptions``.
    """

    __slots__ = ()

    begin = staticmethod(begin_future)
    auto_dispose: ClassVar[AsyncNotifierProviderBuilder]
    family: ClassVar[AsyncNotifierProviderFamilyBuilder]

    if TYPE_CHECKING:

        def __init__(
            self,
            create: Callable[[], AsyncNotifierLike[N, T]],
            **options: Unpack[OptionArguments],
        ) -> None: ...

    @staticmethod
    def options(**options: Unpack[OptionArguments]) -> AsyncNotifierProviderBuilder:
        """Return ``@AsyncNotifierProvider`` with these options preset; its ``.family`` declares families with them."""
        return AsyncNotifierProviderBuilder(make_options(**options), AsyncNotifierProviderFamilyBuilder)

    def override_with(self, create: Callable[[], AsyncNotifierLike[N, T]]) -> Override:
        """Return an override with another notifier."""
        return self.override_create(create)

    def override_with_build(self, build: _Build[T, N]) -> Override:
        """Return an override of only the notifier's ``build``, with ``build(ref, notifier)``."""
        return build_override(self, build, streams=self.streams)


class AsyncNotifierProviderBuilder(Builder["AsyncNotifierProviderFamilyBuilder"]):
    """Declares ``AsyncNotifierProvider`` with options."""

    __slots__ = ()

    def __call__(self, create: Callable[[], AsyncNotifierLike[N, T]]) -> AsyncNotifierProvider[N, T]:
        """Declare a provider."""
        return AsyncNotifierProvider[N, T].made(create, self._options)


class AsyncNotifierProviderFamilyBuilder(FamilyBuilder):
    """Declares families of ``AsyncNotifierProvider`` with options."""

    __slots__ = ()

    def __call__(
        self, create: Callable[P, AsyncNotifierLike[N, T]]
    ) -> NotifierFamily[
        P,
        Callable[P, AsyncNotifierLike[N, T]],
        AsyncNotifierProvider[N, T],
        _Build[T, N],
    ]:
        """Declare a family; its arguments are the parameters of the notifier's constructor."""
        return NotifierFamily(create, self._options, AsyncNotifierProvider[N, T].made, passes_ref=False)


AsyncNotifierProvider.auto_dispose = AsyncNotifierProviderBuilder(AUTO_DISPOSE, AsyncNotifierProviderFamilyBuilder)
AsyncNotifierProvider.family = AsyncNotifierProviderFamilyBuilder(DEFAULT)
