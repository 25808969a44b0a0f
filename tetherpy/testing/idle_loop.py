"""Wait until an event loop has nothing to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import attrs

from .driven_loop import ready_callbacks
from .errors import ClockError

MOST_STEPS: Final = 1_000_000
"""The maximum number of loop turns, and of timers in one ``advance``; beyond it the wait fails."""

_QUIET_TURNS = 2
"""One turn without work may be followed by one with the answer of a system call."""


@attrs.define(eq=False)
class IdleLoop:
    """Waits until the event loop of a test is idle; tasks that wait at the same time do not count as its work.

    A drain waits before the clock: the jobs that it finds must have begun when the clock moves.
    """

    _busy: list[Callable[[], bool]] = attrs.field(init=False, factory=list[Callable[[], bool]])
    _waiting: int = attrs.field(init=False, default=0)
    _drains: int = attrs.field(init=False, default=0)

    def wait_for(self, busy: Callable[[], bool]) -> None:
        """Have ``wait`` wait as long as ``busy()``, for work that the loop does not see."""
        self._busy.append(busy)

    async def wait(self) -> None:
        """Wait until the running loop has no callback to run, and nothing else is busy, nor a drain waits.

        Raises:
            ClockError: a callback reschedules itself on every turn of the loop.
        """
        await self._until_quiet(lambda: self._drains > 0)

    async def wait_in_drain(self) -> None:
        """Wait as ``wait`` does, and before all tasks in ``wait``."""
        self._drains += 1
        try:
            await self._until_quiet(lambda: False)
        finally:
            self._drains -= 1

    async def _until_quiet(self, must_wait: Callable[[], bool]) -> None:
        loop = asyncio.get_running_loop()
        quiet = turns = 0
        self._waiting += 1
        try:
            while quiet < _QUIET_TURNS:
                await asyncio.sleep(0)
                busy = must_wait() or any(busy() for busy in self._busy)
                others = self._waiting - 1  # each has one callback
                quiet = 0 if busy or ready_callbacks(loop) > others else quiet + 1
                turns += not busy
                if turns > MOST_STEPS:
                    raise ClockError(
                        f"The event loop has not come to rest within {MOST_STEPS} turns: something calls itself again "
                        "on every turn, as `while True: await asyncio.sleep(0)` does."
                    )
        finally:
            self._waiting -= 1
