"""Where the values of an asynchronous provider come from: a task, an Rx observable, an async iterator."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from functools import partial
from threading import get_ident
from typing import Any, Protocol, TypeGuard

from .element import Element
from .errors import BuildCancelledError, NoEventLoopError, NotAnExceptionError, ProviderReturnTypeError
from .failures import is_still_loading
from .loops import running_loop


class Sink(Protocol):
    """What takes the values: the flow of an element."""

    element: Element

    def data(self, value: Any) -> None:
        """Take a value."""
        ...

    def error(self, error: Exception) -> None:
        """Take a failure."""
        ...

    def become(self, state: Any) -> None:
        """Take a whole AsyncValue."""
        ...


class Source(Protocol):
    """A running source."""

    @property
    def building(self) -> bool:
        """Whether the provider's function is still running, and may watch more."""
        ...

    def pause(self) -> None:
        """Stop pulling; keep the last event that comes all the same."""
        ...

    def resume(self) -> None:
        """Pull again, delivering what was kept."""
        ...

    def stop(self) -> None:
        """End for good; nothing of it is delivered any more."""
        ...


class TaskSource:
    """The one value of an awaitable."""

    __slots__ = ("_awaitable", "_sink", "_stopped", "_task")

    def __init__(self, sink: Sink, awaitable: Awaitable[Any], loop: asyncio.AbstractEventLoop) -> None:
        self._sink = sink
        self._stopped = False
        self._awaitable: Awaitable[Any] | None = awaitable
        self._task = loop.create_task(self._run(awaitable))
        self._task.add_done_callback(self._ended)

    async def _run(self, awaitable: Awaitable[Any]) -> None:
        self._awaitable = None
        try:
            value = await awaitable
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._stopped or (task is not None and task.cancelling()):
                raise
            self._sink.error(BuildCancelledError(self._sink.element.provider))
        except Exception as error:
            if not self._stopped:
                self._sink.error(error)
            elif not is_still_loading(error):
                raise
        else:
            if not self._stopped:
                self._sink.data(value)

    @property
    def building(self) -> bool:
        """Whether the awaitable has not ended."""
        return not self._task.done()

    def pause(self) -> None:
        """Do nothing: a computation that has begun goes on."""

    def resume(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Cancel the task; what it still does is awaited when the container is closed."""
        self._stopped = True
        if self._awaitable is not None:
            _discard(self._awaitable)
        _cancel(self._task, self._sink.element)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not self._stopped and task.cancelled():
            if self._awaitable is not None:
                _discard(self._awaitable)
            _interrupt(self._sink.element)


class IteratorSource:
    """The values of an async iterator; while paused it is not pulled."""

    __slots__ = ("_open", "_sink", "_stopped", "_task")

    def __init__(self, sink: Sink, iterable: AsyncIterable[Any], loop: asyncio.AbstractEventLoop) -> None:
        self._sink = sink
        self._stopped = False
        self._open = asyncio.Event()
        if sink.element.active:
            self._open.set()
        self._task = loop.create_task(self._run(aiter(iterable)))
        self._task.add_done_callback(self._ended)

    async def _run(self, iterator: AsyncIterator[Any]) -> None:
        try:
            await self._deliver(iterator)
        except Exception as error:
            if not self._stopped:
                self._sink.error(error)
            elif not is_still_loading(error):
                raise
        finally:
            close = getattr(iterator, "aclose", None)
            if close is not None:
                await close()

    async def _deliver(self, iterator: AsyncIterator[Any]) -> None:
        await self._open.wait()
        async for value in iterator:
            await self._open.wait()  # it may have been paused while the value was on its way
            if self._stopped:
                return  # it has ignored its cancellation
            self._sink.data(value)
            await self._open.wait()

    @property
    def building(self) -> bool:
        """Whether the iterator has not ended; it may watch between any two values."""
        return not self._task.done()

    def pause(self) -> None:
        """Stop pulling."""
        self._open.clear()

    def resume(self) -> None:
        """Pull again."""
        self._open.set()

    def stop(self) -> None:
        """Cancel the task, which closes the iterator."""
        self._stopped = True
        self._open.set()  # one that ignores its cancellation must not wait to be resumed
        _cancel(self._task, self._sink.element)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not self._stopped and task.cancelled():
            _interrupt(self._sink.element)


class RxSource:
    """The values of an Rx observable, whatever thread they come from; while paused the last event is kept."""

    __slots__ = ("_kept", "_paused", "_sink", "_stopped", "_subscription")

    def __init__(self, sink: Sink, observable: Any) -> None:
        self._sink = sink
        self._stopped = False
        self._paused = not sink.element.active
        self._kept: Callable[[], None] | None = None
        self._subscription: Any = None
        # An observable may emit, end or fail before subscribe() returns.
        self._subscription = observable.subscribe(self._on_next, self._on_error, lambda: None)

    def _on_next(self, value: Any) -> None:
        self._take(partial(self._sink.data, value))

    def _on_error(self, error: object) -> None:
        failure = error if isinstance(error, Exception) else NotAnExceptionError(self._sink.element.provider, error)
        self._take(partial(self._sink.error, failure))

    def _take(self, deliver: Callable[[], None]) -> None:
        scheduler = self._sink.element.host.scheduler
        if get_ident() != scheduler.thread:
            self._sink.element.host.call_soon_threadsafe(partial(self._take, deliver))
        elif self._stopped:
            return
        elif self._paused and scheduler.building is not self._sink.element:
            self._kept = deliver
        else:
            deliver()

    @property
    def building(self) -> bool:
        """False: the function that returned the observable has ended, and only it could watch."""
        return False

    def pause(self) -> None:
        """Keep events back."""
        self._paused = True

    def resume(self) -> None:
        """Deliver the last event that was kept back."""
        self._paused = False
        kept, self._kept = self._kept, None
        if kept is not None:
            kept()

    def stop(self) -> None:
        """Dispose the subscription."""
        self._stopped = True
        self._kept = None
        if self._subscription is not None:
            self._subscription.dispose()


def _cancel(task: asyncio.Task[None], element: Element) -> None:
    if not task.done():
        task.cancel()
        element.host.in_background(task, element.provider)


def _interrupt(element: Element) -> None:
    """Tell an element that its task was cancelled by somebody else: by the end of ``asyncio.run``, as a rule."""
    if element.flow is not None:
        element.flow.interrupted()


def begin_future(sink: Sink, result: Any) -> Source | None:
    """Start what a future provider returned; a plain value is delivered at once."""
    if not inspect.isawaitable(result):
        sink.data(result)
        return None
    loop = running_loop()
    if loop is None:
        _discard(result)
        raise NoEventLoopError(sink.element.provider, "Read it where a loop runs, as inside asyncio.run(...).")
    return TaskSource(sink, result, loop)


def begin_stream(sink: Sink, result: Any) -> Source | None:
    """Subscribe to what a stream provider returned: an Observable or an async iterable.

    An Observable is itself awaitable and, in some versions, iterable: it is recognised by ``subscribe`` first.
    """
    if callable(getattr(result, "subscribe", None)):
        return RxSource(sink, result)
    if not _is_async_iterable(result):
        _discard(result)
        raise ProviderReturnTypeError(
            sink.element.provider,
            result,
            "A stream provider returns an Rx Observable or an async iterable: return one (without `async def`), "
            "or make the function an async generator with `yield`. For a single value use FutureProvider.",
        )
    loop = running_loop()
    if loop is None:
        raise NoEventLoopError(sink.element.provider, "Read it where a loop runs, as inside asyncio.run(...).")
    return IteratorSource(sink, result, loop)


def begin_states(sink: Sink, result: AsyncIterable[Any]) -> Source:
    """Iterate over whole states and let each become the element's."""
    loop = running_loop()
    if loop is None:
        raise NoEventLoopError(sink.element.provider, "Read it where a loop runs, as inside asyncio.run(...).")
    return IteratorSource(_StateSink(sink), result, loop)


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

    def become(self, state: Any) -> None:
        self._sink.become(state)


def _is_async_iterable(result: object) -> TypeGuard[AsyncIterable[Any]]:
    return hasattr(result, "__aiter__")


def _discard(result: Any) -> None:
    if inspect.iscoroutine(result):
        result.close()  # it will never be awaited, and Python would warn of that instead of our error
