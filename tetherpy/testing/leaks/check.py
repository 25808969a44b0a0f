"""All checks of one test, begun before it and ended after it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, ValuesView
from contextlib import ExitStack

import attrs

from tetherpy.reactive import ProviderContainer

from .files import Handle, left_open, open_handles
from .leak import Leak
from .providers import MadeContainer, recorded_containers, still_listened_to, undisposed
from .tasks import TaskWatch


@attrs.define(eq=False)
class LeakCheck:
    """Compares providers, tasks and file handles before and after a test."""

    _stack: ExitStack = attrs.field(init=False, factory=ExitStack)
    _made: ValuesView[MadeContainer] = attrs.field(init=False)
    _handles: frozenset[Handle] = attrs.field(init=False, factory=open_handles)
    _tasks: TaskWatch | None = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._made = self._stack.enter_context(recorded_containers())

    def begin_in(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch the tasks of a loop from now on; file handles of the loop itself are not leaks."""
        self._tasks = TaskWatch(loop)
        self._handles = open_handles()

    async def in_use(self, containers: Iterable[ProviderContainer]) -> list[Leak]:
        """Return the providers still in use in containers that are about to be disposed."""
        leaks: list[Leak] = []
        for made in self._made:
            if made.container in containers and not made.container.disposed:
                await made.container.pump()
                leaks += still_listened_to(made)
        return leaks

    async def left(self) -> list[Leak]:
        """Return the providers and tasks that are left now that everything was disposed, and end them."""
        self._stack.close()
        leaks = undisposed(self._made)
        for made in self._made:
            if not made.container.disposed and made.container.parent is None:
                await made.container.aclose()
        if self._tasks is not None:
            leaks += await self._tasks.ended()
        return leaks

    def left_open(self) -> list[Leak]:
        """Return the file handles that are left."""
        return left_open(self._handles)
