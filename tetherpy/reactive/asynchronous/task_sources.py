"""Sources that run in a task: an awaitable, or an async iterator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Coroutine
from typing import Any, cast

from ..errors import BuildCancelledError
from ..graph.element import Element
from ..graph.invalidation import Invalidation, invalidate, leave_failed
from ..lifecycle.cleanup import drop, end_stranded
from ..lifecycle.running_loop import running_loop
from ..lifecycle.teardown import Errand, Teardown, current_errand, current_teardown, ended
from ..values.failures import is_still_loading
from .source import Sink


class TaskBasedSource:
    """A source whose task runs the provider's function, and then the asynchronous part of the build's teardown.

    The task begins when the teardowns of the provider's former builds have ended. It also leaves the context managers
    that the function has entered.
    """

    __slots__ = (
        "_building",
        "_errand",
        "_has_delivered",
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
        self._has_delivered = False
        self._is_cancelled = False
        self._teardown: Coroutine[Any, Any, None] | None = None
        self._leave: asyncio.Future[None] | None = None
        element = sink.element
        scheduler = element.host.scheduler
        former = scheduler.loops.teardowns.before_build(element)
        scheduler.loops.running[self] = None
        self._task = loop.create_task(self._run(former))
        self._task.add_done_callback(self._ended)

    async def _produce(self) -> None:
        """Run the provider's function and deliver what it gives."""
        raise NotImplementedError

    def _discard(self) -> None:
        """Close the result of the function, because it is never going to run."""
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
        """Deliver a value; an interruption of a listener, such as Ctrl-C, does not fail the provider."""
        self._has_delivered = True
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

    @property
    def done(self) -> bool:
        """Whether its task has ended."""
        return self._task.done()

    def stop(self, teardown: Teardown | None) -> None:
        """Cancel the function, unless it has ended; what it still does is awaited when the container is closed."""
        self._stopped = True
        if self._task.done():
            return
        if teardown is not None and self._started and not self._has_delivered and self._leave is None:
            teardown.give_up()
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
        """Rebuild the provider in the running loop, if the loop of the task was closed before the task ended.

        A loop that may run again keeps its task: it is looked at again when the container is used next.
        """
        element = self._sink.element
        scheduler = element.host.scheduler
        own = self._task.get_loop()
        if own is running_loop() or self not in scheduler.loops.running:
            return
        if not own.is_closed() or scheduler.building is not None:
            scheduler.loops.call_in_next_loop(self, self.change_loop)
        elif self._stopped:
            self._abandon()
        else:
            invalidate(element, Invalidation("the end of the event loop that built it", manual=False))

    def _abandon(self) -> None:
        """End the coroutine of the task where it waits, because its loop is closed."""
        element = self._sink.element
        element.host.scheduler.loops.running.pop(self, None)
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
        self._sink.element.host.scheduler.loops.running.pop(self, None)
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
        drop(self._awaitable)

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


def _interrupt(element: Element) -> None:
    """Invalidate an element whose task was cancelled from outside, usually by the end of ``asyncio.run``."""
    if element.flow is not None:
        element.flow.interrupted()


def _raise(error: BaseException) -> None:
    raise error
