"""Where the values of an asynchronous provider come from: a task, an Rx observable, an async iterator."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine
from functools import partial
from threading import get_ident
from typing import Any, Protocol, TypeGuard, cast

from ..errors import BuildCancelledError, NoEventLoopError, NotAnExceptionError, ProviderReturnTypeError
from ..graph.element import Element
from ..graph.invalidation import Invalidation, invalidate, leave_failed
from ..lifecycle.cleanup import end_stranded
from ..lifecycle.event_loop import running_loop
from ..lifecycle.teardown import Errand, Teardown, current_errand, current_teardown, ended
from ..values.failures import is_still_loading


class Sink(Protocol):
    """What takes the values: the flow of an element."""

    element: Element

    def data(self, value: Any) -> None:
        """Take a value."""
        ...

    def error(self, error: Exception) -> None:
        """Take a failure."""
        ...

    def ended(self) -> None:
        """Take note that nothing more will come."""
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

    def stop(self, teardown: Teardown | None) -> None:
        """End for good; it delivers nothing more. The teardown waits until what it runs has ended."""
        ...


class TaskBasedSource:
    """A source whose task runs the provider's function, and then the asynchronous part of the build's teardown.

    The task begins when the teardowns of the provider's former builds have ended, and it is the one that leaves the
    context managers that the function has entered.
    """

    __slots__ = (
        "_building",
        "_errand",
        "_is_cancelled",
        "_leave",
        "_sink",
        "_started",
        "_stopped",
        "_task",
        "_teardown",
    )

    def __init__(self, sink: Sink, loop: asyncio.AbstractEventLoop) -> None:
        self._sink = sink
        self._building = True
        self._started = False
        self._stopped = False
        self._is_cancelled = False
        self._teardown: Coroutine[Any, Any, None] | None = None
        self._leave: asyncio.Future[None] | None = None
        element = sink.element
        scheduler = element.host.scheduler
        former = scheduler.teardowns.before_build(element)
        scheduler.running[self] = None
        self._task = loop.create_task(self._run(former))
        self._task.add_done_callback(self._ended)

    async def _produce(self) -> None:
        """Run the provider's function and deliver what it gives."""
        raise NotImplementedError

    def _discard(self) -> None:
        """Close what the function returned: it will never run."""
        raise NotImplementedError

    async def _run(self, former: list[Teardown]) -> None:
        # An eager task runs its first step before create_task() returns it.
        self._task = cast("asyncio.Task[None]", asyncio.current_task())
        try:
            if former:
                await ended(former)
            self._started = True
            self._errand = Errand(current_teardown())
            current_errand.set(self._errand)
            try:
                await self._produce()
            except asyncio.CancelledError:
                if self._stopped:
                    raise
                if self._task.cancelling():
                    self._interrupt()
                    raise
                self._sink.error(BuildCancelledError(self._sink.element.provider))
            except BaseException as error:
                if self._is_closed_from_outside():
                    raise
                await self._failed(error)
            self._building = False
            if not self._stopped:
                await self._stay()
        finally:
            self._building = False
            if self._teardown is not None:
                if self._is_closed_from_outside():
                    self._teardown.close()  # the next loop has another one
                else:
                    await self._teardown

    def _is_closed_from_outside(self) -> bool:
        """Whether the coroutine is closed after its loop, instead of run by its task."""
        return asyncio.current_task(self._task.get_loop()) is not self._task

    def _deliver(self, value: Any) -> None:
        """Hand on a value. What interrupts a listener, such as Ctrl-C, is no failure of the provider."""
        try:
            self._sink.data(value)
        except Exception:
            raise
        except BaseException as error:
            self._task.get_loop().call_soon(_raise, error)

    async def _failed(self, error: BaseException) -> None:
        element = self._sink.element
        if element.host.scheduler.unwinds(error):
            return  # an eager task: the build that began it is unwound
        if self._stopped:
            if not is_still_loading(error):
                element.host.report(error, element.provider)
            return
        hooks = element.ref.hooks
        while hooks is not None and (leaving := leave_failed(element, hooks, error)) is not None:
            await leaving
        if not self._stopped:
            self._sink.error(cast("Exception", error))  # a BaseException, such as pytest.fail, is a failure as well
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise error

    async def _stay(self) -> None:
        """Keep the task while it has context managers to leave."""
        element = self._sink.element
        hooks = element.ref.hooks
        if hooks is None or not hooks.closers or self._task not in (hooks.entered_in or ()):
            return
        self._leave = self._task.get_loop().create_future()
        try:
            await self._leave
        except asyncio.CancelledError:
            if not self._stopped:
                self._interrupt()
            raise

    def _interrupt(self) -> None:
        """End the build because its task is cancelled, as a rule by the end of ``asyncio.run``.

        The teardown runs in this task, which the loop waits for.
        """
        self._is_cancelled = True
        self._building = False
        _interrupt(self._sink.element)

    @property
    def building(self) -> bool:
        """Whether the provider's function has not ended."""
        return self._building

    def stop(self, teardown: Teardown | None) -> None:
        """Cancel the function, unless it has ended; what it still does is awaited when the container is closed."""
        self._stopped = True
        if self._task.done():
            return
        loop = self._task.get_loop()
        if loop.is_closed():
            self._abandon()
            return
        runs = loop is running_loop()
        if not self._started:
            self._discard()
        elif teardown is not None and runs:
            teardown.wait_in(self._tear_down)
        if not self._is_cancelled and (self._leave is None or not runs):
            self._task.cancel()
            if runs and (teardown is None or not self._started):
                self._sink.element.host.in_background(self._task, self._sink.element.provider)

    def _tear_down(self, teardown: Teardown, work: Coroutine[Any, Any, None]) -> asyncio.Task[Any]:
        self._teardown = work
        self._errand.teardown = teardown  # the function may still wait for providers in a finally clause
        if self._leave is not None and not self._leave.done():
            self._leave.set_result(None)
        return self._task

    def change_loop(self) -> None:
        """Have the provider built again in the loop that runs now, if the loop of the task was closed before its end.

        A loop that may run again keeps its task: it is looked at again when the container is used next.
        """
        element = self._sink.element
        scheduler = element.host.scheduler
        own = self._task.get_loop()
        if own is running_loop() or self not in scheduler.running:
            return
        if not own.is_closed() or scheduler.building is not None:
            scheduler.in_next_loop[self] = self.change_loop
        elif self._stopped:
            self._abandon()
        else:
            invalidate(element, Invalidation("the end of the event loop that built it", manual=False))

    def _abandon(self) -> None:
        """End what the task runs where it waits: its loop is closed."""
        element = self._sink.element
        element.host.scheduler.running.pop(self, None)
        if self._building:
            if not self._started:
                self._discard()
            end_stranded(self._task, element.provider, element.host.report)
        else:
            cast(
                "Coroutine[Any, Any, None]", self._task.get_coro()
            ).close()  # the teardown is continued, or begun, by a task of the next loop

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._building = False
        self._sink.element.host.scheduler.running.pop(self, None)
        if not self._stopped and not self._started and task.cancelled():
            self._discard()
            _interrupt(self._sink.element)


class TaskSource(TaskBasedSource):
    """The one value of an awaitable."""

    __slots__ = ("_awaitable",)

    def __init__(self, sink: Sink, awaitable: Awaitable[Any], loop: asyncio.AbstractEventLoop) -> None:
        self._awaitable = awaitable
        super().__init__(sink, loop)

    async def _produce(self) -> None:
        value = await self._awaitable
        if not self._stopped:
            self._deliver(value)

    def _discard(self) -> None:
        _discard(self._awaitable)

    def pause(self) -> None:
        """Do nothing: a computation that has begun is finished."""

    def resume(self) -> None:
        """Do nothing."""


class IteratorSource(TaskBasedSource):
    """The values of an async iterator; while paused it is not pulled."""

    __slots__ = ("_iterator", "_open")

    def __init__(self, sink: Sink, iterable: AsyncIterable[Any], loop: asyncio.AbstractEventLoop) -> None:
        self._iterator = aiter(iterable)
        self._open = asyncio.Event()
        if sink.element.active:
            self._open.set()
        super().__init__(sink, loop)

    async def _produce(self) -> None:
        try:
            await self._pull(self._iterator)
        finally:
            await _close(self._iterator)
        if not self._stopped:
            self._sink.ended()

    async def _pull(self, iterator: AsyncIterator[Any]) -> None:
        await self._open.wait()
        async for value in iterator:
            await self._open.wait()  # it may have been paused while the value was on its way
            if self._stopped:
                return  # it has ignored its cancellation
            self._deliver(value)
            await self._open.wait()

    def _discard(self) -> None:
        element = self._sink.element
        element.host.in_background(_close(self._iterator), element.provider)

    def pause(self) -> None:
        """Stop pulling."""
        self._open.clear()

    def resume(self) -> None:
        """Pull again."""
        self._open.set()

    def stop(self, teardown: Teardown | None) -> None:
        """Cancel the task, which closes the iterator."""
        super().stop(teardown)
        self._open.set()  # one that ignores its cancellation must not wait to be resumed


async def _close(iterator: Any) -> None:
    close = getattr(iterator, "aclose", None)
    if close is not None:
        await close()


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
        self._subscription = observable.subscribe(self._on_next, self._on_error, self._on_completed)

    def _on_next(self, value: Any) -> None:
        self._take(partial(self._sink.data, value))

    def _on_error(self, error: object) -> None:
        failure = error if isinstance(error, Exception) else NotAnExceptionError(self._sink.element.provider, error)
        self._take(partial(self._sink.error, failure))

    def _on_completed(self) -> None:
        """Tell a waiter that nothing will come, after a value that was kept back."""
        scheduler = self._sink.element.host.scheduler
        if get_ident() != scheduler.thread:
            self._sink.element.host.call_soon_threadsafe(self._on_completed)
        elif self._kept is None and not self._stopped:
            self._sink.ended()

    def _take(self, deliver: Callable[[], None]) -> None:
        scheduler = self._sink.element.host.scheduler
        if get_ident() != scheduler.thread:
            self._sink.element.host.call_soon_threadsafe(partial(self._take, deliver))
        elif self._stopped:
            return
        elif (self._paused or self._kept is not None) and scheduler.building is not self._sink.element:
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
        if self._kept is not None:
            element = self._sink.element
            element.host.scheduler.callbacks.append((self._deliver_kept, (element,)))

    def _deliver_kept(self, element: Element) -> None:
        if self._paused or self._kept is None:
            return
        kept, self._kept = self._kept, None
        try:
            kept()
        except Exception as error:
            element.host.report(error, element.provider)

    def stop(self, teardown: Teardown | None) -> None:
        """Dispose the subscription."""
        self._stopped = True
        self._kept = None
        if self._subscription is not None:
            self._subscription.dispose()


def _interrupt(element: Element) -> None:
    """Tell an element that its task was cancelled by somebody else: by the end of ``asyncio.run``, as a rule."""
    if element.flow is not None:
        element.flow.interrupted()


def _raise(error: BaseException) -> None:
    raise error


def begin_future(sink: Sink, result: Any) -> Source | None:
    """Start what a future provider returned; a plain value is delivered at once."""
    if not inspect.isawaitable(result):
        sink.data(result)
        return None
    return TaskSource(sink, result, _loop_for(sink, result))


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
    return IteratorSource(sink, result, _loop_for(sink, result))


def begin_states(sink: Sink, result: AsyncIterable[Any]) -> Source:
    """Iterate over whole states and let each become the element's."""
    return IteratorSource(_StateSink(sink), result, _loop_for(sink, result))


def _loop_for(sink: Sink, result: Any) -> asyncio.AbstractEventLoop:
    """Return the running loop; without one the result is discarded and an error raised."""
    loop = running_loop()
    if loop is None:
        _discard(result)
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


def _discard(result: Any) -> None:
    if inspect.iscoroutine(result):
        result.close()  # it will never be awaited, and Python would warn of that instead of our error
