"""Calls of coroutines from threads: into a loop that runs already, or into one in a new thread."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import AsyncExitStack, contextmanager, suppress
from contextvars import Context, copy_context
from functools import partial
from typing import Any, Self, TypeVar

import attrs

from ..errors import DatabaseClosedError, DatabaseForkedError, SyncCallInLoopError
from .thread_call import ThreadCall

T = TypeVar("T")


@attrs.define(eq=False)
class Calls:
    """Calls that one task runs one after another, until None; then it exits ``stack``."""

    stack: AsyncExitStack = attrs.field(init=False, factory=AsyncExitStack)
    _waiting: asyncio.Queue[ThreadCall[Any] | None] = attrs.field(
        init=False, factory=asyncio.Queue[ThreadCall[Any] | None]
    )
    _ended: bool = attrs.field(init=False, default=False)

    async def run(self) -> None:
        """Run the calls."""
        async with self.stack:
            while (call := await self._waiting.get()) is not None:
                await call.run()

    def add(self, call: ThreadCall[Any] | None) -> None:
        """Run a call after those before it; end it if the task has ended."""
        self._waiting.put_nowait(call)
        if self._ended:
            self.end()

    def end(self) -> None:
        """End the calls that were not run, and all later ones."""
        self._ended = True
        while not self._waiting.empty():
            if (call := self._waiting.get_nowait()) is not None:
                call.end()


class _OfThread(threading.local):
    """What one thread has open in a portal."""

    calls: Calls | None = None


@attrs.define(eq=False)
class Portal:
    """Run coroutines in the event loop of another thread, and wait for them; may be used by any number of threads.

    ``name`` is that of the database, for errors.
    """

    name: str
    _loop: asyncio.AbstractEventLoop
    _thread: threading.Thread | None = None
    _pid: int = attrs.field(init=False, factory=os.getpid)
    _closed: bool = attrs.field(init=False, default=False)
    _lock: threading.RLock = attrs.field(init=False, factory=threading.RLock)
    _tasks: set[asyncio.Task[None]] = attrs.field(init=False, factory=set[asyncio.Task[None]])
    _of_thread: _OfThread = attrs.field(init=False, factory=_OfThread)

    @classmethod
    def start(cls, name: str) -> Self:
        """Start a loop in a daemon thread, until ``close``."""
        loop = asyncio.SelectorEventLoop()  # on Windows the default one cannot serve psycopg
        thread = threading.Thread(target=_run, args=(loop,), name=f"tetherpy {name}", daemon=True)
        thread.start()
        return cls(name, loop, thread)

    def call(self, function: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Await ``function()`` in the loop, and return its result; context variables are those of this thread.

        Raises ``DatabaseClosedError`` if the loop ends before, and errors as ``check``.
        """
        self.check()
        call = ThreadCall(self._loop, function)
        calls = self._of_thread.calls

        def begin() -> None:
            try:
                if calls is None:
                    self._post(self._start, call.run, call.end, copy_context())
                else:
                    self._post(calls.add, call)
            except DatabaseClosedError:
                call.end()

        try:
            return call.wait(begin)
        except asyncio.CancelledError as error:
            raise DatabaseClosedError(self.name) from error

    @contextmanager
    def one_task(self) -> Generator[Calls]:
        """Run all calls of this thread in the block in one task: a transaction belongs to the task that began it.

        A block inside one of the same thread uses its task.
        """
        self.check()
        if self._of_thread.calls is not None:
            yield self._of_thread.calls
            return
        calls = Calls()
        self._post(self._start, calls.run, calls.end, copy_context())
        self._of_thread.calls = calls
        try:
            yield calls
        finally:
            self._of_thread.calls = None
            with suppress(DatabaseClosedError):  # the end of the loop has ended the task
                self._post(calls.add, None)

    def check(self) -> None:
        """Raise the error of a call in this thread, if one cannot be made.

        ``SyncCallInLoopError`` in an event loop, ``DatabaseForkedError`` in a forked child of the process whose loop
        this is, ``DatabaseClosedError`` after ``close``.
        """
        check_no_loop()
        if self._pid != os.getpid():
            raise DatabaseForkedError(self.name)
        if self._closed:
            raise DatabaseClosedError(self.name)

    def close(self) -> None:
        """Cancel the calls that are under way, and end a loop that ``start`` began; a second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._loop.call_soon_threadsafe(self._end)
        if self._thread is not None:
            self._thread.join()

    def end_after(self, function: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Await ``function()`` in the loop, then end it, without a wait for either: any thread may call this."""
        if self._pid == os.getpid():
            with suppress(DatabaseClosedError):
                self._post(self._start, partial(self._await_and_end, function), lambda: None, copy_context())

    async def _await_and_end(self, function: Callable[[], Coroutine[Any, Any, object]]) -> None:
        try:
            await function()
        finally:
            self._closed = True
            self._end()

    def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._thread is not None:
            self._loop.stop()

    def _post(self, function: Callable[..., object], *args: object) -> None:
        # Under the lock: what is posted after the end of the loop would never run.
        with self._lock:
            if self._closed:
                raise DatabaseClosedError(self.name)
            self._loop.call_soon_threadsafe(partial(function, *args))

    def _start(self, run: Callable[[], Coroutine[Any, Any, None]], end: Callable[[], None], context: Context) -> None:
        task = self._loop.create_task(run(), context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # A task that is cancelled before its first step does not run at all.
        task.add_done_callback(lambda _: end())


def check_no_loop() -> None:
    """Raise ``SyncCallInLoopError`` in a thread that runs an event loop, which a wait would block."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise SyncCallInLoopError


def _run(loop: asyncio.AbstractEventLoop) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.get_loop().run_forever()
