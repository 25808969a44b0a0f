"""``StreamNotifierProvider``: a state fed by a stream, with methods that change it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Generic, ParamSpec, Protocol, TypeAlias, TypeVar, Unpack

from ..asynchronous.async_value import AsyncState
from ..asynchronous.begin_source import begin_stream
from ..container.overrides import Override
from ..container.ref import NotifierRef
from .builders import Builder, FamilyBuilder
from .notifiers.async_notifier_provider_base import AsyncNotifierProviderBase
from .notifiers.notifier import StreamResult
from .notifiers.notifier_family import NotifierFamily, build_override
from .provider_options import AUTO_DISPOSE, DEFAULT, OptionArguments, make_options

N = TypeVar("N")
T = TypeVar("T")
P = ParamSpec("P")
N_co = TypeVar("N_co", covariant=True)
T_co = TypeVar("T_co", covariant=True)

_Build: TypeAlias = "Callable[[NotifierRef[AsyncState[T]], N], StreamResult[T]]"


class StreamNotifierLike(Protocol[N_co, T_co]):
    """A StreamNotifier of type ``N_co`` whose data is a ``T_co``."""

    def __provides_stream__(self) -> tuple[N_co, T_co]:
        """Tie the two types together for type checkers."""
        ...

    def build(self) -> StreamResult[T_co]:
        """Return the stream of data."""
        ...


class StreamNotifierProvider(AsyncNotifierProviderBase[N, T], Generic[N, T]):
    """The state of a ``StreamNotifier``, watched as an AsyncValue.

    Args:
        create: the notifier's class, or a function that returns a new instance.
        **options: ``name``, ``auto_dispose``, ``dependencies``, ``retry`` and ``scope``, as in ``ProviderOptions``.
    """

    __slots__ = ()

    streams: ClassVar[bool] = True
    begin = staticmethod(begin_stream)
    auto_dispose: ClassVar[StreamNotifierProviderBuilder]
    family: ClassVar[StreamNotifierProviderFamilyBuilder]

    if TYPE_CHECKING:

        def __init__(
            self,
            create: Callable[[], StreamNotifierLike[N, T]],
            **options: Unpack[OptionArguments],
        ) -> None: ...

    @staticmethod
    def options(**options: Unpack[OptionArguments]) -> StreamNotifierProviderBuilder:
        """Return ``@StreamNotifierProvider`` with these options preset; its ``.family`` declares families with them."""
        return StreamNotifierProviderBuilder(make_options(**options), StreamNotifierProviderFamilyBuilder)

    def override_with(self, create: Callable[[], StreamNotifierLike[N, T]]) -> Override:
        """Return an override with another notifier."""
        return self.override_create(create)

    def override_with_build(self, build: _Build[T, N]) -> Override:
        """Return an override of only the notifier's ``build``, with ``build(ref, notifier)``."""
        return build_override(self, build, streams=self.streams)


class StreamNotifierProviderBuilder(Builder["StreamNotifierProviderFamilyBuilder"]):
    """Declares ``StreamNotifierProvider`` with options."""

    __slots__ = ()

    def __call__(self, create: Callable[[], StreamNotifierLike[N, T]]) -> StreamNotifierProvider[N, T]:
        """Declare a provider."""
        return StreamNotifierProvider[N, T].made(create, self._options)


class StreamNotifierProviderFamilyBuilder(FamilyBuilder):
    """Declares families of ``StreamNotifierProvider`` with options."""

    __slots__ = ()

    def __call__(
        self, create: Callable[P, StreamNotifierLike[N, T]]
    ) -> NotifierFamily[
        P,
        Callable[P, StreamNotifierLike[N, T]],
        StreamNotifierProvider[N, T],
        _Build[T, N],
    ]:
        """Declare a family; its arguments are the parameters of the notifier's constructor."""
        return NotifierFamily(create, self._options, StreamNotifierProvider[N, T].made, passes_ref=False, streams=True)


StreamNotifierProvider.auto_dispose = StreamNotifierProviderBuilder(AUTO_DISPOSE, StreamNotifierProviderFamilyBuilder)
StreamNotifierProvider.family = StreamNotifierProviderFamilyBuilder(DEFAULT)
