"""Tasks of asyncio that outlive the test."""

from __future__ import annotations

import asyncio
from typing import Any

import attrs

from ..call_sites import Site, calling_site
from .leak import Leak

_TURNS = 5
"""How many turns of the loop a task has to end that was cancelled or has nothing left to wait for."""


@attrs.define(eq=False)
class TaskWatch:
    """Remember where the tasks of a loop are made, and tell which are left at the end."""

    loop: asyncio.AbstractEventLoop
    _before: frozenset[asyncio.Task[Any]] = attrs.field(init=False)
    #: Strong references: otherwise the garbage collector could remove a leaked task before the check.
    _sites: dict[asyncio.Task[Any], Site | None] = attrs.field(
        init=False, factory=dict[asyncio.Task[Any], "Site | None"]
    )
    _factory: Any = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._before = frozenset(asyncio.all_tasks(self.loop))
        self._factory = self.loop.get_task_factory()
        self.loop.set_task_factory(self._make)

    async def ended(self) -> list[Leak]:
        """Stop watching; return the tasks that are left, and cancel them."""
        self.loop.set_task_factory(self._factory)
        left = await self._left()
        leaks = [self._leak(task) for task in left]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=1)
        return leaks

    def _make(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> Any:
        task = (
            asyncio.Task(coroutine, loop=loop, **options)
            if self._factory is None
            else self._factory(loop, coroutine, **options)
        )
        self._sites[task] = calling_site()
        task.add_done_callback(self._sites.pop)
        return task

    async def _left(self) -> set[asyncio.Task[Any]]:
        left: set[asyncio.Task[Any]] = set()
        for _ in range(_TURNS):
            left = asyncio.all_tasks(self.loop) - self._before - {asyncio.current_task()}
            if not left:
                break
            await asyncio.sleep(0)
        return left

    def _leak(self, task: asyncio.Task[Any]) -> Leak:
        coroutine = task.get_coro()
        name = getattr(coroutine, "__qualname__", repr(coroutine))
        stack = task.get_stack(limit=1)
        waits = f", which waits at {Site.of_frame(stack[-1])}" if stack else ""
        return Leak(
            "task",
            f"{_name_of(task)} running {name}(){waits}",
            self._sites.get(task),
            "Await it or cancel it; ref.create_task ties a task to the life of a provider.",
        )


def _name_of(task: asyncio.Task[Any]) -> str:
    """Return a task's name; early releases of Python 3.13 call it ``None`` under a task factory if it has none."""
    name = task.get_name()
    return "a task" if name == "None" else name
