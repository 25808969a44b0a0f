"""A clock that a test advances explicitly."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import attrs

from tetherpy.durations import to_seconds, to_span

from .driven_loop import DrivenLoop
from .errors import ClockError
from .idle_loop import MOST_STEPS, IdleLoop

START: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""The start time of every test; a Saturday."""

_MICROSECOND: Final = timedelta(microseconds=1)


def _real_time_limit(value: timedelta | float) -> float:
    return to_seconds("real_time_limit", value)


@attrs.define(eq=False, repr=False)
class Clock:
    """The clock of the event loop and of jobs; its time passes only when the test advances it.

    It controls everything that waits for the loop's time: ``asyncio.sleep``, timeouts, retries of providers,
    ``cache_for``, delays and backoff of jobs, periodic jobs. Threads, files and sockets work as usual. A test that
    waits without advancing the clock fails after ``real_time_limit`` seconds of real time.
    """

    real_time_limit: float = attrs.field(default=30.0, converter=_real_time_limit)
    elapsed: timedelta = attrs.field(init=False, default=timedelta(0))
    _driven: DrivenLoop | None = attrs.field(init=False, default=None)
    _began: float = attrs.field(init=False, default=0.0)
    idle: IdleLoop = attrs.field(init=False, factory=IdleLoop)

    def now(self) -> datetime:
        """Return the current time, which starts at 1 January 2000, 00:00 UTC."""
        return START + self.elapsed

    def time(self) -> float:
        """Return the loop's time, in seconds."""
        return self._began + self.elapsed.total_seconds()

    async def advance(self, duration: timedelta | float) -> None:
        """Advance the time (seconds or timedelta) timer by timer, and run everything that becomes due.

        A callback sees the time that its timer was set for. ``advance`` waits for work in the threads of the
        databases of the fixture ``jobs``.

        Raises:
            DurationError: the duration is negative or not a duration.
            ClockError: the loop never becomes idle, or the running loop is not asyncio's.
        """
        span = to_span("advance", duration)
        self.drive(asyncio.get_running_loop())
        end = self.elapsed + span
        await self.settle()
        for _ in range(MOST_STEPS):
            if not await self.step(START + end):
                break
        else:
            raise ClockError(
                f"{MOST_STEPS} timers have fallen due before {span} had passed: one of them sets itself again "
                "and again."
            )
        self.elapsed = end
        await self.settle()

    async def step(self, until: datetime | None = None) -> bool:
        """Advance the time to the next timer, and run what becomes due; return False if none is due by ``until``."""
        due = self._next_timer(self.drive(asyncio.get_running_loop()))
        if due is None or (until is not None and START + due > until):
            return False
        self.elapsed = max(due, self.elapsed)
        await self.settle()
        return True

    async def advance_to(self, moment: datetime) -> None:
        """Advance the time to an aware datetime that is not before ``now()``."""
        await self.advance(moment - self.now())

    async def settle(self) -> None:
        """Wait until the loop is idle, without advancing the time.

        Raises:
            ClockError: a callback reschedules itself on every turn of the loop.
        """
        self.drive(asyncio.get_running_loop())
        await self.idle.wait()

    def drive(self, loop: asyncio.AbstractEventLoop) -> DrivenLoop:
        """Control the time of an event loop; a second call does nothing.

        Raises:
            ClockError: the loop is not asyncio's, or not the same as before.
        """
        if self._driven is None:
            self._began = loop.time() - self.elapsed.total_seconds()
            self._driven = DrivenLoop(loop, self.time, lambda: self.real_time_limit)
        elif not self._driven.is_loop(loop):
            raise ClockError(
                "The fixture `clock` already drives another event loop; a test can use it in one loop only."
            )
        return self._driven

    def release(self) -> None:
        """Restore the time of the loop."""
        if self._driven is not None:
            self._driven.release()
            self._driven = None

    def __repr__(self) -> str:
        return f"<Clock at {self.now().isoformat()}>"

    def _next_timer(self, driven: DrivenLoop) -> timedelta | None:
        when = driven.next_timer
        if when is None:
            return None
        due = timedelta(seconds=when - self._began)
        # Rounded to microseconds it may be too early by a part of one; of the loop's resolution it may be.
        return due if when < self._began + due.total_seconds() + driven.resolution else due + _MICROSECOND
