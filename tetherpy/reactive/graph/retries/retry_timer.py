"""The retry count of a provider, and the timer of its next retry."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tetherpy.durations import to_seconds

from ...lifecycle.running_loop import running_loop
from ...lifecycle.timers import Timer, Timers
from .retry_policy import Retry


class RetryTimer:
    """The number of retries of a provider, and the timer of the next one."""

    __slots__ = ("_timer", "count")

    def __init__(self) -> None:
        self.count = 0
        self._timer: Timer | None = None

    def schedule(self, policy: Retry, error: Exception, again: Callable[[], None], timers: Timers) -> bool:
        """Call ``again`` after the delay that the policy returns; return whether it returned one.

        Without a running event loop nothing is retried.
        """
        delay = None if running_loop() is None else policy(self.count, error)
        if delay is None:
            return False
        self.cancel()
        self._timer = timers.start(to_seconds("the delay that retry returned", delay), partial(self._fire, again))
        return True

    def cancel(self) -> None:
        """Cancel the next retry."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self, again: Callable[[], None]) -> None:
        self._timer = None
        self.count += 1
        again()
