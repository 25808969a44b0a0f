"""``StreamNotifierProvider``: a state fed by a stream, with the methods that change it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, ParamSpec, Protocol, TypeAlias, TypeVar

from ..asynchronous.async_provider_base import AsyncProviderBase
from ..asynchronous.async_value import AsyncState, AsyncValue
from ..asynchronous.sources import begin_stream
from ..container.overrides import Override
from ..container.ref import NotifierRef
from ..graph.element import Element
from ..graph.retry import Retry
from .notifiers.notifier import StreamResult
from .notifiers.notifier_build import attach_async_notifier, attach_async_notifier_build, attach_async_notifier_value
from .notifiers.notifier_family import NotifierFamily, build_override
from .notifiers.notifier_of import NotifierOf
from .provider_options import AUTO_DISPOSE, DEFAULT, ProviderOptions, make_options

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


class StreamNotifierProvider(AsyncProviderBase[T], Generic[N, T]):
    """The state of a ``StreamNotifier``, watched as an AsyncValue.

    Args:
        create: the notifier's class, or a function that returns a new instance.
        name: shown instead of the class's name.
        auto_dispose: dispose the state when nobody uses it any more.
        dependencies: the scoped providers it uses; naming any (or none: ``[]``) makes it scoped.
        retry: when to build it again after a failure.
    """

    __slots__ = ()

    streams: ClassVar[bool] = True
    build_type = NotifierRef
    auto_dispose: ClassVar[StreamNotifierProviderBuilder]
    family: ClassVar[StreamNotifierProviderFamilyBuilder]

    if TYPE_CHECKING:

        def __init__(
            self,
            create: Callable[[], StreamNotifierLike[N, T]],
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
    ) -> StreamNotifierProviderBuilder:
        """Return a declaration with these options; ``.family`` of it declares a family."""
        return StreamNotifierProviderBuilder(make_options(name, auto_dispose, dependencies, retry))

    @property
    def notifier(self) -> NotifierOf[N]:
        """The notifier itself, to call its methods; watching it does not rebuild when the state changes."""
        return NotifierOf(self)

    def attach_with(self, element: Element, create: Callable[..., Any]) -> None:
        """Prepare an element with a function that makes the notifier."""
        attach_async_notifier(element, create, begin_stream)

    def attach_build(self, element: Element, build: Callable[[Any, Any], Any]) -> None:
        """Prepare an element with another ``build`` of this provider's notifier."""
        attach_async_notifier_build(element, self._create, build, begin_stream)

    def override_with(self, create: Callable[[], StreamNotifierLike[N, T]]) -> Override:
        """Return an override with another notifier."""
        return self.override_create(create)

    def override_with_build(self, build: _Build[T, N]) -> Override:
        """Return an override of the notifier's ``build`` alone: ``build(ref, notifier)``."""
        return build_override(self, build, streams=self.streams)

    def override_with_value(self, value: AsyncValue[T]) -> Override:
        """Return an override with another first state, such as ``AsyncData(user)``; the notifier's methods stay."""
        return Override(self, lambda element, _: attach_async_notifier_value(element, self._create, value))


class StreamNotifierProviderBuilder:
    """Declares ``StreamNotifierProvider``s with options."""

    __slots__ = ("_options",)

    def __init__(self, options: ProviderOptions) -> None:
        self._options = options

    def __call__(self, create: Callable[[], StreamNotifierLike[N, T]]) -> StreamNotifierProvider[N, T]:
        """Declare a provider."""
        return StreamNotifierProvider[N, T].made(create, self._options)

    @property
    def family(self) -> StreamNotifierProviderFamilyBuilder:
        """Declares families with the same options."""
        return StreamNotifierProviderFamilyBuilder(self._options)


class StreamNotifierProviderFamilyBuilder:
    """Declares families of ``StreamNotifierProvider``s."""

    __slots__ = ("_options",)

    def __init__(self, options: ProviderOptions) -> None:
        self._options = options

    def __call__(
        self, create: Callable[P, StreamNotifierLike[N, T]]
    ) -> NotifierFamily[
        P,
        Callable[P, StreamNotifierLike[N, T]],
        StreamNotifierProvider[N, T],
        _Build[T, N],
    ]:
        """Declare a family; its arguments are those of the notifier's constructor."""
        return NotifierFamily(create, self._options, StreamNotifierProvider[N, T].made, passes_ref=False, streams=True)


StreamNotifierProvider.auto_dispose = StreamNotifierProviderBuilder(AUTO_DISPOSE)
StreamNotifierProvider.family = StreamNotifierProviderFamilyBuilder(DEFAULT)
