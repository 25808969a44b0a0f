"""What goes on after a container's providers were disposed: asynchronous clean-up, and what failed in it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from typing import Any, TypeAlias

from ..errors import NoEventLoopError
from .event_loop import running_loop

Report: TypeAlias = Callable[[BaseException, object], None]


class Cleanup:
    """The clean-up tasks of a container; while it closes, failures are collected instead of reported."""

    __slots__ = ("_stranded", "_tasks", "collected")

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stranded: NoEventLoopError | None = None
        self.collected: list[BaseException] | None = None

    def start(self, work: Awaitable[object], provider: object, report: Report) -> None:
        """Run work on the running loop; where none runs it is dropped, and ``take_stranded`` tells."""
        loop = running_loop()
        if loop is None:
            _drop(work)
            if self._stranded is None:
                self._stranded = NoEventLoopError(
                    provider, "Close the container with `async with` or `await container.aclose()`."
                )
            return
        task = loop.create_task(Begun(_run(work)))
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, provider, report))

    def adopt(self, other: Cleanup) -> None:
        """Wait for another's tasks too: those of a child container."""
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
        """Return, once, the first error of work that found no loop."""
        stranded, self._stranded = self._stranded, None
        return stranded

    async def finish(self) -> None:
        """Wait for all tasks."""
        loop = running_loop()
        # A task whose loop ended before it did can neither continue nor be waited for.
        while tasks := [task for task in self._tasks if task.get_loop() is loop]:
            await asyncio.wait(tasks)
            self._tasks.difference_update(tasks)
        self._tasks.clear()

    def take_collected(self) -> list[BaseException]:
        """Return what was collected; what fails later is reported again."""
        collected, self.collected = self.collected or [], None
        return collected

    def _ended(self, provider: object, report: Report, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            report(error, provider)


def _drop(work: Awaitable[object]) -> None:
    if inspect.iscoroutine(work):
        work.close()  # Python warns of a coroutine that is never awaited


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
    """Runs a coroutine up to its first wait before a cancellation can reach it.

    asyncio cancels a task before its first step by an error that is raised before the first line. The end of the loop
    would then skip clean-up that has just been started.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._coroutine = coroutine
        self.__name__ = "clean-up"  # for the repr of its task

    def send(self, value: Any) -> Any:
        """Run up to the next wait."""
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        """Raise an error at the present wait, or at the first one."""
        if inspect.getcoroutinestate(self._coroutine) == inspect.CORO_CREATED:
            self._coroutine.send(None)
        return self._coroutine.throw(*error)

    def close(self) -> None:
        """Give up."""
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, None]:
        return self._coroutine.__await__()
