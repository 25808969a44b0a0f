"""Asynchronous clean-up after the disposal of providers, and the collection of its errors."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from typing import Any, TypeAlias

from ..errors import NoEventLoopError
from .running_loop import running_loop

Report: TypeAlias = Callable[[BaseException, object], None]


class Cleanup:
    """The clean-up tasks of a container; while it closes, failures are collected instead of reported."""

    __slots__ = ("_stranded", "_tasks", "collected")

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stranded: NoEventLoopError | None = None
        self.collected: list[BaseException] | None = None

    def start(self, work: Awaitable[object], provider: object, report: Report) -> None:
        """Run work on the running loop; without one it is dropped, and ``take_stranded`` returns the error."""
        loop = running_loop()
        if loop is None:
            drop(work)
            if self._stranded is None:
                self._stranded = NoEventLoopError(
                    provider, "Close the container with `async with` or `await container.aclose()`."
                )
            return
        task = loop.create_task(Begun(_run(work)))
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, provider, report))

    def adopt(self, other: Cleanup) -> None:
        """Also wait for the tasks of a child container."""
        if other is not self:
            for task in other._tasks:
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            if self._stranded is None:
                self._stranded = other._stranded

    def collect(self) -> None:
        """Collect failures from now on."""
        if self.collected is None:
            self.collected = []

    def take_stranded(self) -> NoEventLoopError | None:
        """Return the first error of work that had no loop, and forget it."""
        stranded, self._stranded = self._stranded, None
        return stranded

    async def finish(self) -> None:
        """Wait for all tasks."""
        loop = running_loop()
        # A task whose loop has ended can neither continue nor be awaited.
        while tasks := [task for task in self._tasks if task.get_loop() is loop]:
            await asyncio.wait(tasks)
            self._tasks.difference_update(tasks)
        self._tasks.clear()

    def take_collected(self) -> list[BaseException]:
        """Return the collected errors; later errors are reported again."""
        collected, self.collected = self.collected or [], None
        return collected

    def _ended(self, provider: object, report: Report, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            report(error, provider)


def drop(work: object) -> None:
    """Close a coroutine that is not going to run: Python warns about one that is never awaited."""
    if inspect.iscoroutine(work):
        work.close()


def end_stranded(task: asyncio.Task[Any], provider: object, report: Report) -> None:
    """End a coroutine whose event loop was closed before it had ended, by a cancellation where it waits.

    Its ``finally`` clauses run now, up to the first one that waits again.
    """
    coroutine: Any = task.get_coro()
    try:
        coroutine.throw(asyncio.CancelledError())
        coroutine.close()
    except (asyncio.CancelledError, StopIteration):
        return
    except BaseException as error:
        report(error, provider)
    else:
        report(NoEventLoopError(provider, "It was closed while a task had not ended: end the tasks first."), provider)


async def _run(work: Awaitable[object]) -> None:
    await work


class Begun(Coroutine[Any, Any, None]):
    """Wraps a coroutine so that it runs to its first wait before it can be cancelled.

    A task cancelled before its first step never runs a line of its coroutine. When the loop ends, clean-up that was
    just started would be skipped.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._coroutine = coroutine
        self.__name__ = "clean-up"  # for the repr of its task

    def send(self, value: Any) -> Any:
        """Run up to the next wait."""
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        """Raise an error at the current wait, or at the first one."""
        if inspect.getcoroutinestate(self._coroutine) == inspect.CORO_CREATED:
            self._coroutine.send(None)
        return self._coroutine.throw(*error)

    def close(self) -> None:
        """Close the coroutine."""
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, None]:
        return self._coroutine.__await__()
