"""A coroutine of an event loop that another thread waits for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

import attrs

T = TypeVar("T")

_current: ContextVar[ThreadCall[Any] | None] = ContextVar("tetherpy_thread_call", default=None)


def waiting_thread() -> ThreadCall[Any] | None:
    """Return the call for which a thread waits, seen from its coroutine; None if no thread waits."""
    call = _current.get()
    return None if call is None or call.ended else call


@attrs.define(eq=False)
class Work:
    """A function that the waiting thread runs for the coroutine."""

    _function: Callable[[], Any]
    future: asyncio.Future[Any]
    begun: bool = False

    def run(self) -> None:
        """Run the function, and pass its result or error to the coroutine.

        Interruptions, such as ``KeyboardInterrupt``, leave this method: they end the whole call.
        """
        self.begun = True
        try:
            result = self._function()
        except Exception as error:
            self._deliver(self.future.set_exception, error)
        else:
            self._deliver(self.future.set_result, result)

    def give_up(self) -> None:
        """Cancel the wait of the coroutine."""
        self._deliver(self.future.cancel)

    def _deliver(self, function: Callable[..., object], *args: object) -> None:
        self.future.get_loop().call_soon_threadsafe(lambda: None if self.future.done() else function(*args))


@attrs.define(eq=False)
class ThreadCall(Generic[T]):
    """Wait in a thread for a coroutine of an event loop; the thread runs functions that the coroutine posts.

    The coroutine can so use objects that belong to the waiting thread, such as a ``sqlite3.Connection``.
    """

    _loop: asyncio.AbstractEventLoop
    _function: Callable[[], Coroutine[Any, Any, T]]
    _posted: deque[Work] = attrs.field(init=False, factory=deque[Work])
    # One item after each change of `_posted` and `ended`. Waits look at those, because an interruption may lose one.
    _changed: SimpleQueue[None] = attrs.field(init=False, factory=SimpleQueue[None])
    _task: asyncio.Task[Any] | None = attrs.field(init=False, default=None)
    _results: list[T] = attrs.field(init=False, factory=list[T])
    _error: BaseException | None = attrs.field(init=False, default=None)
    _interrupted: bool = attrs.field(init=False, default=False)
    _abandoned: bool = attrs.field(init=False, default=False)
    ended: bool = attrs.field(init=False, default=False)

    # --- in the loop --------------------------------------------------------------------------

    async def run(self) -> None:
        """Await the coroutine in the current task, and wake the waiting thread.

        Raises ``CancelledError`` if the task was cancelled by others than the waiting thread.
        """
        task = self._task = asyncio.current_task()
        token = _current.set(self)
        try:
            if self._interrupted:
                return
            self._results.append(await self._function())
        except BaseException as error:
            self._error = error
            if isinstance(error, asyncio.CancelledError) and not self._interrupted:
                raise
        finally:
            _current.reset(token)
            if self._interrupted and task is not None:
                task.uncancel()
            self.end()

    def end(self) -> None:
        """Wake the waiting thread, whose call has ended; before ``run`` has, it is cancelled."""
        if not self.ended:
            if not self._results and self._error is None:
                self._error = asyncio.CancelledError()
            self.ended = True
            self._changed.put(None)

    async def in_thread(self, function: Callable[[], T]) -> T:
        """Run a function in the waiting thread."""
        work = Work(function, self._loop.create_future())
        if self._abandoned:
            raise asyncio.CancelledError
        self._posted.append(work)
        self._changed.put(None)
        result: T = await work.future
        return result

    def _interrupt(self, abandon: bool) -> None:
        self._interrupted, self._abandoned = True, abandon
        if abandon:
            for work in self._posted:
                work.future.cancel()
        if self._task is None:
            self.end()  # it has not begun, and will not
        elif not self.ended:
            self._task.cancel()

    # --- in the thread ------------------------------------------------------------------------

    def wait(self, begin: Callable[[], None]) -> T:
        """Begin the call, and return the result of the coroutine or raise its error.

        An interruption, such as Ctrl-C, cancels the coroutine, waits until it has ended, and is raised then. A second
        one is raised at once.
        """
        interruption: BaseException | None = None
        begun = False
        while not begun or not self.ended or self._posted:
            try:
                # In here, because an interruption may come as soon as the call has begun.
                if not begun:
                    begun = True
                    begin()
                while not self.ended or self._posted:
                    self._serve()
            except BaseException as error:
                self._loop.call_soon_threadsafe(self._interrupt, interruption is not None)
                if interruption is not None:
                    raise
                interruption = error
        if interruption is not None:
            raise interruption
        failure, self._error = self._error, None
        if failure is not None:
            try:
                raise failure
            finally:
                del failure  # with this frame in its traceback it would be a cycle
        return self._results[0]

    def _serve(self) -> None:
        """Run the next posted function, or wait for a change."""
        if not self._posted:
            self._changed.get()
            return
        work = self._posted[0]
        if work.begun:
            work.give_up()  # an interruption has ended it
        else:
            work.run()
        self._posted.popleft()
