"""Timers that continue in the next event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .running_loop import running_loop


class Timer:
    """One delayed call."""

    __slots__ = ("_callback", "_handle", "_timers", "due")

    def __init__(self, timers: Timers, callback: Callable[[], None]) -> None:
        self._timers = timers
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None
        self.due = 0.0

    def start(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        """Start in a loop; a timer running in another loop is cancelled."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle = loop.call_later(max(seconds, 0.0), self._fire)
        self.due = self._handle.when()

    def cancel(self) -> None:
        """Cancel the call. A second call, or one after the timer has fired, does nothing."""
        if self._handle is not None:
            self._handle.cancel()
        self._timers.waiting.pop(self, None)

    def _fire(self) -> None:
        self._timers.waiting.pop(self, None)
        self._callback()


class Timers:
    """The timers of a tree of containers.

    A timer of a closed loop would never fire. ``move_to`` restarts pending timers in the current loop with the
    remaining time.
    """

    __slots__ = ("_loop", "waiting")

    def __init__(self) -> None:
        self.waiting: dict[Timer, None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, seconds: float, callback: Callable[[], None]) -> Timer | None:
        """Call ``callback`` after ``seconds``; without a running event loop do nothing and return None."""
        loop = running_loop()
        if loop is None:
            return None
        self.move_to(loop)
        timer = Timer(self, callback)
        timer.start(loop, seconds)
        self.waiting[timer] = None
        return timer

    def move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Use this loop from now on, and move the pending timers to it."""
        previous, self._loop = self._loop, loop
        if previous is not None and previous is not loop:
            now = previous.time()
            for timer in tuple(self.waiting):
                timer.start(loop, timer.due - now)

    def close(self) -> None:
        """Cancel all timers."""
        for timer in tuple(self.waiting):
            timer.cancel()
