"""Timers that survive the event loop they were started in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .event_loop import running_loop


class Timer:
    """One delayed call."""

    __slots__ = ("_callback", "_handle", "_timers", "due")

    def __init__(self, timers: Timers, callback: Callable[[], None]) -> None:
        self._timers = timers
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None
        self.due = 0.0

    def start(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        """Wait in a loop, and no longer in another one."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle = loop.call_later(max(seconds, 0.0), self._fire)
        self.due = self._handle.when()

    def cancel(self) -> None:
        """Cancel the call. Cancelling twice, or after the call, does nothing."""
        if self._handle is not None:
            self._handle.cancel()
        self._timers.waiting.pop(self, None)

    def _fire(self) -> None:
        self._timers.waiting.pop(self, None)
        self._callback()


class Timers:
    """The timers of a tree of containers.

    A timer of a closed loop would never fire. ``move_to`` starts the pending ones again in the loop that runs now,
    with the time that remained.
    """

    __slots__ = ("_loop", "waiting")

    def __init__(self) -> None:
        self.waiting: dict[Timer, None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, seconds: float, callback: Callable[[], None]) -> Timer | None:
        """Call ``callback`` after ``seconds``; return None, and do nothing, where no event loop runs."""
        loop = running_loop()
        if loop is None:
            return None
        self.move_to(loop)
        timer = Timer(self, callback)
        timer.start(loop, seconds)
        self.waiting[timer] = None
        return timer

    def move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Serve this loop from now on."""
        previous, self._loop = self._loop, loop
        if previous is not None and previous is not loop:
            now = previous.time()
            for timer in tuple(self.waiting):
                timer.start(loop, timer.due - now)

    def close(self) -> None:
        """Cancel all of them."""
        for timer in tuple(self.waiting):
            timer.cancel()
