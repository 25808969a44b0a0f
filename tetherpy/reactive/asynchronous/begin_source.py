"""Start a source of values from the result of an asynchronous provider's function."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable
from typing import Any, TypeGuard

from ..errors import NoEventLoopError, ProviderReturnTypeError
from ..lifecycle.cleanup import drop
from ..lifecycle.running_loop import running_loop
from .rx_source import RxSource
from .source import Sink, Source
from .task_sources import IteratorSource, TaskSource


def begin_future(sink: Sink, result: Any) -> Source | None:
    """Start a task for the result of a future provider; a plain value is delivered at once."""
    if not inspect.isawaitable(result):
        sink.data(result)
        return None
    return TaskSource(sink, result, _loop_for(sink, result))


def begin_stream(sink: Sink, result: Any) -> Source | None:
    """Subscribe to the result of a stream provider: an Observable or an async iterable.

    An Observable is itself awaitable and, in some versions, iterable: it is recognised by ``subscribe`` first.
    """
    if callable(getattr(result, "subscribe", None)):
        return RxSource(sink, result)
    if not _is_async_iterable(result):
        drop(result)
        raise ProviderReturnTypeError(
            sink.element.provider,
            result,
            "A stream provider returns an Rx Observable or an async iterable: return one (without `async def`), "
            "or make the function an async generator with `yield`. For a single value use FutureProvider.",
        )
    return IteratorSource(sink, result, _loop_for(sink, result))


def begin_states(sink: Sink, result: AsyncIterable[Any]) -> Source:
    """Iterate over whole states and let each become the element's."""
    return IteratorSource(_StateSink(sink), result, _loop_for(sink, result))


def _loop_for(sink: Sink, result: Any) -> asyncio.AbstractEventLoop:
    """Return the running loop; without one the result is discarded and an error raised."""
    loop = running_loop()
    if loop is None:
        drop(result)
        raise NoEventLoopError(sink.element.provider, "Read it where a loop runs, as inside asyncio.run(...).")
    return loop


class _StateSink:
    """Takes states where values are delivered."""

    __slots__ = ("_sink", "element")

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.element = sink.element

    def data(self, value: Any) -> None:
        self._sink.become(value)

    def error(self, error: Exception) -> None:
        self._sink.error(error)

    def ended(self) -> None:
        self._sink.ended()

    def become(self, state: Any) -> None:
        self._sink.become(state)


def _is_async_iterable(result: object) -> TypeGuard[AsyncIterable[Any]]:
    return hasattr(result, "__aiter__")
