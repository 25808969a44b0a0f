"""A clock that a test moves by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

from .errors import ClockError

START: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""When every test begins; a Saturday."""

MOST_STEPS: Final = 1_000_000
"""How many turns of the loop, and how many timers, one ``advance`` takes before it counts as endless."""

_QUIET_TURNS = 2
"""One turn without work may be followed by one with the answer of a system call."""

_MICROSECOND: Final = timedelta(microseconds=1)


@attrs.define(eq=False, repr=False)
class Clock:
    """Time that passes only when the test says so: for the event loop, and for the jobs' calendar.

    While it is there nothing that waits for the loop's time goes on by itself: ``asyncio.sleep``, timeouts,
    retries of providers, ``cache_for``, delays and backoff of jobs, periodic jobs. Threads, files and sockets
    work as ever. A test that waits for time which nobody lets pass fails after ``patience`` seconds of real time.
    """

    patience: float = 30.0
    elapsed: timedelta = timedelta(0)
    _loop: Any = None
    _began: float = 0.0
    _select: Any = attrs.field(init=False, default=None)
    _busy: list[Callable[[], bool]] = attrs.field(init=False, factory=list[Callable[[], bool]])

    def now(self) -> datetime:
        """Return the present: the first of January 2000, 00:00 UTC, and what has passed since."""
        return START + self.elapsed

    def time(self) -> float:
        """Return the loop's time, in seconds."""
        return self._began + self.elapsed.total_seconds()

    async def advance(self, duration: timedelta | float) -> None:
        """Let time pass (seconds or timedelta), timer by timer; all that fell due has run when this returns.

        What runs because of a timer sees the time that it was set for. Work in the threads of the databases of
        the fixture ``jobs`` is waited for.

        Raises:
            ValueError: a negative duration.
            ClockError: the loop does not come to rest, or no loop runs that it can drive.
        """
        span = duration if isinstance(duration, timedelta) else timedelta(seconds=duration)
        if span < timedelta(0):
            raise ValueError(f"Time does not run backwards: advance was given {span}.")
        self.drive(asyncio.get_running_loop())
        end = self.elapsed + span
        await self.settle()
        for _ in range(MOST_STEPS):
            due = self._next_timer()
            if due is None or due > end:
                break
            self.elapsed = max(due, self.elapsed)
            await self.settle()
        else:
            raise ClockError(
                f"{MOST_STEPS} timers have fallen due before {span} had passed: one of them sets itself again "
                "and again."
            )
        self.elapsed = end
        await self.settle()

    async def advance_to(self, moment: datetime) -> None:
        """Let time pass until an aware datetime that is not before ``now()``."""
        await self.advance(moment - self.now())

    async def settle(self) -> None:
        """Wait, without letting time pass, until nothing is left to do but to wait for time.

        Raises:
            ClockError: something calls itself again on every turn of the loop.
        """
        self.drive(asyncio.get_running_loop())
        quiet = turns = 0
        while quiet < _QUIET_TURNS:
            await asyncio.sleep(0)
            busy = any(busy() for busy in self._busy)
            quiet = 0 if busy or self._loop._ready else quiet + 1
            turns += not busy
            if turns > MOST_STEPS:
                raise ClockError(
                    f"The event loop has not come to rest within {MOST_STEPS} turns: something calls itself again on "
                    "every turn, as `while True: await asyncio.sleep(0)` does."
                )

    def wait_for(self, busy: Callable[[], bool]) -> None:
        """Have ``settle`` wait as long as ``busy()``, for work that the loop does not see."""
        self._busy.append(busy)

    def drive(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take over the time of an event loop; a second time changes nothing.

        Raises:
            ClockError: it is not asyncio's own loop, or another one than before.
        """
        if self._loop is loop:
            return
        if self._loop is not None:
            raise ClockError("The clock drives another event loop: use it in one loop per test.")
        if not all(hasattr(loop, name) for name in ("_scheduled", "_ready", "_selector")):
            raise ClockError(f"The clock drives asyncio's own event loops, and {type(loop).__name__} is none.")
        self._began = loop.time() - self.elapsed.total_seconds()
        self._loop = loop
        self._select = self._loop._selector.select
        self._loop._selector.select = self._wait
        self._loop.time = self.time

    def release(self) -> None:
        """Give the loop its own time back."""
        if self._loop is not None:
            del self._loop.time, self._loop._selector.select
            self._loop = None

    def _wait(self, timeout: float | None) -> Any:
        """Stand for the loop's wait for the next event or, as it believes, the next timer, ``timeout`` seconds away."""
        if not timeout or timeout < 0:
            return self._select(timeout)
        events = self._select(self.patience)
        if not events:
            raise ClockError(
                f"For {self.patience:g} s nothing has happened: the test waits for time to pass, and with the fixture "
                "`clock` it passes only in `await clock.advance(...)`. Start what sleeps in a task and advance beside "
                "it; if the test waits for something slow, raise clock.patience."
            )
        return events

    def __repr__(self) -> str:
        return f"<Clock at {self.now().isoformat()}>"

    def _next_timer(self) -> timedelta | None:
        timers = [timer.when() for timer in self._loop._scheduled if not timer.cancelled()]
        if not timers:
            return None
        when = min(timers)
        due = timedelta(seconds=when - self._began)
        # Rounded to microseconds it may be too early by a part of one; of the loop's resolution it may be.
        is_reached = when < self._began + due.total_seconds() + self._loop._clock_resolution
        return due if is_reached else due + _MICROSECOND
