"""A watcher that polls the database: frequently while it changes, rarely while it is idle."""

import asyncio
from collections.abc import Callable
from typing import Self

import attrs

_SHORTEST = 0.001
_LONGEST = 0.02
_SLOWER = 1.5


@attrs.define(eq=False)
class PollingWatcher:
    """A timer with an interval between 1 ms (after a commit) and 20 ms (idle)."""

    _loop: asyncio.AbstractEventLoop
    _wake: Callable[[], None]
    _commits_seen: Callable[[], int]
    _seen: int = 0
    _interval: float = _SHORTEST
    _timer: asyncio.TimerHandle | None = None

    @classmethod
    def start(cls, loop: asyncio.AbstractEventLoop, wake: Callable[[], None], commits_seen: Callable[[], int]) -> Self:
        """Start; ``commits_seen`` returns a number that grows when a wake-up has found a commit."""
        watcher = cls(loop, wake, commits_seen)
        watcher._tick()
        return watcher

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        seen = self._commits_seen()
        self._interval = _SHORTEST if seen != self._seen else min(self._interval * _SLOWER, _LONGEST)
        self._seen = seen
        self._timer = self._loop.call_later(self._interval, self._tick)
        self._wake()
