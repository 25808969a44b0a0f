"""What goes on after a container's providers were disposed: asynchronous clean-up, and what failed in it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias

from .errors import NoEventLoopError
from .loops import running_loop

Report: TypeAlias = Callable[[BaseException, object], None]


class Cleanup:
    """The clean-up tasks of a container; while it closes, failures are collected instead of reported."""

    __slots__ = ("_stranded", "_tasks", "collected")

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stranded: list[NoEventLoopError] = []
        self.collected: list[BaseException] | None = None

    def start(self, work: Awaitable[object], provider: object, report: Report) -> None:
        """Run work on the running loop; where none runs it is dropped, and ``take_stranded`` tells."""
        loop = running_loop()
        if loop is None:
            _drop(work)
            self._stranded.append(
                NoEventLoopError(provider, "Close the container with `async with` or `await container.aclose()`.")
            )
            return
        task = loop.create_task(_run(work))
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, work, provider, report))

    def adopt(self, other: Cleanup) -> None:
        """Wait for another's tasks too: those of a child container."""
        if other is not self:
            for task in other._tasks:
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            self._stranded += other._stranded

    def collect(self) -> None:
        """Collect failures from now on."""
        if self.collected is None:
            self.collected = []

    def take_stranded(self) -> NoEventLoopError | None:
        """Return, once, the first error of work that found no loop."""
        stranded, self._stranded = self._stranded, []
        return stranded[0] if stranded else None

    async def finish(self) -> list[BaseException]:
        """Wait for all tasks and return what was collected; if cancelled, what fails later is reported again."""
        loop = running_loop()
        try:
            # A task whose loop ended before it did can neither continue nor be waited for.
            while tasks := [task for task in self._tasks if task.get_loop() is loop]:
                await asyncio.wait(tasks)
                self._tasks.difference_update(tasks)
            self._tasks.clear()
        finally:
            collected, self.collected = self.collected or [], None
        return collected

    def _ended(self, work: Awaitable[object], provider: object, report: Report, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            _drop(work)  # the end of the loop may cancel a task before its first step
        elif (error := task.exception()) is not None:
            report(error, provider)


def _drop(work: Awaitable[object]) -> None:
    if inspect.iscoroutine(work):
        work.close()  # Python warns of a coroutine that is never awaited


async def _run(work: Awaitable[object]) -> None:
    await work
