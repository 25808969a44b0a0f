"""The base class of asynchronous providers: ``future``, ``select_async``, and overrides with a fixed state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any, Generic, TypeVar, cast

from ..container.overrides import Override
from ..graph.element import Build, Element, Host
from ..graph.listenable import Refreshable, View
from ..graph.updates.read import read
from ..graph.updates.watch import depend_on
from ..graph.users import request_disposal
from ..providers.provider import ProviderBase
from .async_flow import AsyncFlow, attach_value
from .async_value import AsyncData, AsyncError, AsyncResult, AsyncState, AsyncValue
from .promise import Promise

T = TypeVar("T")
R = TypeVar("R")


class FutureOf(View["AsyncProviderBase[T]", Awaitable[T]], Refreshable[Awaitable[T]]):
    """The ``future`` of an asynchronous provider: an awaitable of its next settled value."""

    __slots__ = ()

    part = "future"

    def node_in(self, host: Host) -> Element:
        """Return a node whose value is the provider's promise; the node changes when the promise is replaced."""
        source = host.find(self._source)

        def current(build: Build) -> Promise[T]:
            depend_on(build.element, source)
            return flow_of(source).promise

        return Element(host, self, current)

    def read_in(self, host: Host) -> Awaitable[T]:
        """Return the promise; it keeps the provider in use while the reader waits."""
        element = host.find(self._source)
        read(element)
        lent = flow_of(element).lend()
        request_disposal(element)
        return lent


class AsyncSelector(View["AsyncProviderBase[T]", Awaitable[R]], Generic[T, R]):
    """An awaitable part of an asynchronous provider's data; returned by ``select_async``."""

    __slots__ = ("_selector",)

    part = "select_async"

    def __init__(self, provider: AsyncProviderBase[T], selector: Callable[[T], R]) -> None:
        self._source = provider
        self._selector = selector

    def node_in(self, host: Host) -> Element:
        """Return a node whose promise is replaced only when the selected part changes."""
        source = host.find(self._source)
        selection = _Selection(self._selector)

        def current(build: Build) -> Promise[R]:
            depend_on(build.element, source)
            return selection.follow(flow_of(source).promise)

        return Element(host, self, current)

    def read_in(self, host: Host) -> Awaitable[R]:
        """Return an awaitable of the selected part; it keeps the provider in use while the reader waits."""
        return _Selected(self._source.future.read_in(host), self._selector)

    def __repr__(self) -> str:
        return f"{super().__repr__()}({getattr(self._selector, '__name__', '...')})"


class _Selected(Generic[T, R]):
    """A part of a future, for readers outside the graph; it may be awaited any number of times."""

    __slots__ = ("_future", "_selector")

    def __init__(self, future: Awaitable[T], selector: Callable[[T], R]) -> None:
        self._future = future
        self._selector = selector

    def __await__(self) -> Generator[Any, None, R]:
        return self._selector((yield from self._future.__await__()))


class _Selection(Generic[T, R]):
    """The promise of a selected part; replaced when the part changes."""

    __slots__ = ("_followed", "_promise", "_selector", "_settled")

    def __init__(self, selector: Callable[[T], R]) -> None:
        self._selector = selector
        self._followed: Promise[T] | None = None
        self._promise: Promise[R] = Promise()
        self._settled: AsyncResult[R] | None = None

    def follow(self, whole: Promise[T]) -> Promise[R]:
        """Return the promise of the part; it is replaced when the whole is settled with another part."""
        if whole is not self._followed:
            self._followed = whole
            # The whole settles the part, so waiters get it even after the build that selected it was replaced.
            whole.on_settled(partial(self._settle, whole))
        return self._promise

    def _settle(self, whole: Promise[T]) -> None:
        settled = AsyncValue.guard(lambda: self._selector(whole.result()))
        if self._promise.done:
            if settled == self._settled:
                return
            self._promise = Promise()
        self._settled = settled
        match settled:
            case AsyncData(value):
                self._promise.resolve(value)
            case AsyncError(error):
                self._promise.reject(error)


class AsyncProviderBase(ProviderBase[AsyncState[T]], Generic[T]):
    """Base of the providers that are watched as an AsyncValue."""

    __slots__ = ()

    @property
    def future(self) -> FutureOf[T]:
        """An awaitable of the next settled value; it raises the error of the provider.

        While pending it stays the same through rebuilds; if the provider is disposed it raises ProviderDisposedError.
        Reading it from outside keeps the provider alive until it is settled or garbage-collected.
        """
        return FutureOf(self)

    def select_async(self, selector: Callable[[T], R]) -> AsyncSelector[T, R]:
        """Return an awaitable of a part; its watchers are rebuilt only when ``selector(data)`` changes by ``!=``."""
        return AsyncSelector(self, selector)

    def override_with_value(self, value: AsyncValue[T]) -> Override:
        """Return an override with a fixed state, such as ``AsyncData(user)``."""
        return Override(self, lambda element, _: attach_value(element, value))


def flow_of(element: Element) -> AsyncFlow:
    """Return the flow of an asynchronous provider's element."""
    return cast("AsyncFlow", element.flow)
