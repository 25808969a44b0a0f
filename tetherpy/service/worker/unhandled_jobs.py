"""Jobs whose key has no handler in any worker: they wait for one, and fail after a grace period."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import timedelta

import attrs

from tetherpy.jobs import JobEngine

from ..errors import NoSuchHandlerError
from ..execution.failure_text import describe

LONGEST_PAUSE_SECONDS = 10.0
CHECKS_PER_GRACE = 4

_logger = logging.getLogger("tetherpy.service")


@attrs.define(eq=False)
class UnhandledJobs:
    """Fail the jobs of a key that has had no handler in any registered worker for ``grace``.

    Another version of the code may have the handler and be about to start. The time is measured while this worker
    lives, on its monotonic clock, from its first check that found the key unknown. Time in which the worker was
    suspended, as in a paused container, does not count: other workers could not start then either.
    """

    engine: JobEngine
    grace: timedelta
    monotonic: Callable[[], float] = time.monotonic
    _unknown_since: dict[str, float] = attrs.field(init=False, factory=dict[str, float])
    _checked_at: float | None = attrs.field(init=False, default=None)

    @property
    def pause(self) -> float:
        """Return the seconds between two checks."""
        return min(self.grace.total_seconds() / CHECKS_PER_GRACE, LONGEST_PAUSE_SECONDS)

    async def run(self) -> None:
        """Check a few times within each grace period."""
        while True:
            await asyncio.sleep(self.pause)
            try:
                await self.check()
            except Exception:
                _logger.exception("Could not check for jobs without a handler")

    async def check(self) -> None:
        """Record the unknown keys, and fail the jobs of those that have been unknown for too long."""
        waiting = await self.engine.unhandled()
        registered = await self._registered() if waiting else frozenset[str]()
        now = self.monotonic()
        lost = 0.0 if self._checked_at is None else max(0.0, now - self._checked_at - 2 * self.pause)
        self._checked_at = now
        unknown = () if registered is None else waiting.keys() - registered
        self._unknown_since = {key: min(now, self._unknown_since.get(key, now) + lost) for key in unknown}
        for key, since in self._unknown_since.items():
            if now - since >= self.grace.total_seconds():
                error = describe(NoSuchHandlerError(key, tuple(sorted(registered or ()))))
                while failed := await self.engine.fail_unhandled(key, error):
                    _logger.error("%d jobs became FAILED, since no worker has a handler for %r", failed, key)

    async def _registered(self) -> frozenset[str] | None:
        """Return the keys with a handler in any worker; None if a worker claims every key."""
        keys: set[str] = set()
        for worker in await self.engine.workers():
            if worker.job_keys is None:
                return None
            keys |= worker.job_keys
        return frozenset(keys)
