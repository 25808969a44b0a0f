"""An event loop whose time comes from outside.

asyncio shows neither its timers nor whether it has anything to do. The attributes that tell are those of its
``BaseEventLoop`` since Python 3.4, and this is the one module that knows them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import attrs

from .errors import ClockError

_USED = ("_ready", "_scheduled", "_selector", "_clock_resolution", "_ssock")


def ready_callbacks(loop: Any) -> int:
    """Count the callbacks that the next turn of a loop runs; 0 if it is not asyncio's."""
    return len(getattr(loop, "_ready", ()))


@attrs.define(eq=False)
class DrivenLoop:
    """Makes a loop read its time from ``time``, and wait for events only: no timer falls due while it waits.

    ``real_time_limit`` bounds a wait without an event, in seconds. Raises ``ClockError`` if the loop is not asyncio's.
    """

    loop: Any
    time: Callable[[], float]
    real_time_limit: Callable[[], float]
    _select: Any = attrs.field(init=False)
    _event: tuple[asyncio.Future[bool], float | None] | None = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        if not all(hasattr(self.loop, name) for name in _USED):
            raise ClockError(f"The clock drives asyncio's own event loops, and {type(self.loop).__name__} is none.")
        self._select = self.loop._selector.select
        self.loop._selector.select = self._wait
        self.loop.time = self.time

    def is_loop(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether it is this loop."""
        return self.loop is loop

    @property
    def watched_files(self) -> dict[int, int]:
        """The events (of ``selectors``) that the loop waits for, by file descriptor."""
        keys = self.loop._selector.get_map().values()
        return {key.fd: key.events for key in keys if key.fd != self.loop._ssock.fileno()}

    async def event(self, seconds: float | None) -> bool:
        """Wait in real time until something wakes the loop, at most ``seconds``; return whether something did.

        None is ``real_time_limit``, after which it raises ``ClockError``.
        """
        if ready_callbacks(self.loop):
            return True
        self._event = self.loop.create_future(), seconds
        try:
            return await self._event[0]
        finally:
            self._event = None

    @property
    def next_timer(self) -> float | None:
        """When the next timer falls due."""
        timers = self.loop._scheduled
        if timers and not timers[0].cancelled():  # the heap may begin with timers that were cancelled
            return float(timers[0].when())
        return min((timer.when() for timer in timers if not timer.cancelled()), default=None)

    @property
    def resolution(self) -> float:
        """By how many seconds a timer may be early."""
        return float(self.loop._clock_resolution)

    def release(self) -> None:
        """Restore the time of the loop."""
        del self.loop.time, self.loop._selector.select

    def _wait(self, timeout: float | None) -> Any:
        """Stand for the loop's wait for the next event or, as it believes, the next timer, ``timeout`` seconds away."""
        waiting, seconds = self._event or (None, None)
        if (timeout is None and waiting is None) or (timeout is not None and timeout <= 0):
            return self._select(timeout)
        events = self._select(self.real_time_limit() if seconds is None else seconds)
        if waiting is not None and not waiting.done() and (events or seconds is not None):
            waiting.set_result(bool(events))
        elif not events:
            raise ClockError(
                f"The test has waited for {self.real_time_limit():g} s without an event. With the fixture `clock` time "
                "passes only in `await clock.advance(...)`: run the code that sleeps in a task and call advance in the "
                "test. If the test waits for a slow operation, increase clock.real_time_limit."
            )
        return events
