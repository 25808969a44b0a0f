"""``StreamProvider``: the latest value of an Rx observable or an async generator."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Generic, ParamSpec, TypeAlias, TypeVar

from ..asynchronous.async_flow import attach_flow
from ..asynchronous.async_provider_base import AsyncProviderBase
from ..asynchronous.sources import begin_stream
from ..container.overrides import Override
from ..container.ref import Ref
from ..graph.element import Element
from ..graph.retry import Retry
from .provider import Family
from .provider_options import AUTO_DISPOSE, DEFAULT, ProviderOptions, make_options

if TYPE_CHECKING:
    from reactivex import Observable

T = TypeVar("T")
P = ParamSpec("P")

StreamOf: TypeAlias = "Observable[T] | AsyncIterable[T]"
"""What the function of a stream provider returns."""


class StreamProvider(AsyncProviderBase[T], Generic[T]):
    """The latest value of a stream, watched as an AsyncValue.

    While nobody listens, an async iterator is not pulled and of an Observable only the last event is kept.
    A stream that ends leaves its last value; one that ends without a value stays loading (Riverpod).

    Args:
        create: called with a Ref; returns an Rx Observable or an async iterable, or is an async generator.
        name: shown instead of the function's name.
        auto_dispose: dispose the value when nobody uses it any more.
        dependencies: the scoped providers it uses; naming any (or none: ``[]``) makes it scoped.
        retry: when to build it again after a failure.
    """

    __slots__ = ()

    streams: ClassVar[bool] = True
    build_type = Ref
    auto_dispose: ClassVar[StreamProviderBuilder]
    family: ClassVar[StreamProviderFamilyBuilder]

    if TYPE_CHECKING:

        def __init__(
            self,
            create: Callable[[Ref], StreamOf[T]],
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
    ) -> StreamProviderBuilder:
        """Return a decorator with these options; ``.family`` of it declares a family."""
        return StreamProviderBuilder(make_options(name, auto_dispose, dependencies, retry))

    def attach_with(self, element: Element, create: Callable[..., Any]) -> None:
        """Prepare an element with a function of a Ref."""
        attach_flow(element, create, begin_stream)

    def override_with(self, create: Callable[[Ref], StreamOf[T]]) -> Override:
        """Return an override with another function."""
        return self.override_create(create)


class StreamProviderBuilder:
    """Declares ``StreamProvider``s with options."""

    __slots__ = ("_options",)

    def __init__(self, options: ProviderOptions) -> None:
        self._options = options

    def __call__(self, create: Callable[[Ref], StreamOf[T]]) -> StreamProvider[T]:
        """Declare a provider."""
        return StreamProvider[T].made(create, self._options)

    @property
    def family(self) -> StreamProviderFamilyBuilder:
        """Declares families with the same options."""
        return StreamProviderFamilyBuilder(self._options)


class StreamProviderFamilyBuilder:
    """Declares families of ``StreamProvider``s."""

    __slots__ = ("_options",)

    def __init__(self, options: ProviderOptions) -> None:
        self._options = options

    def __call__(
        self, create: Callable[Concatenate[Ref, P], StreamOf[T]]
    ) -> Family[P, Callable[Concatenate[Ref, P], StreamOf[T]], StreamProvider[T]]:
        """Declare a family; its arguments are those of the function after ``ref``."""
        return Family(create, self._options, StreamProvider[T].made, passes_ref=True, streams=True)


StreamProvider.auto_dispose = StreamProviderBuilder(AUTO_DISPOSE)
StreamProvider.family = StreamProviderFamilyBuilder(DEFAULT)
