"""Retention: delete old finished jobs."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import attrs

from tetherpy.jobs import JobEngine

INTERVAL_SECONDS = 60.0
BATCH = 1000
"""Maximum jobs deleted in one transaction, so that claims do not wait for long."""

_logger = logging.getLogger("tetherpy.service")


@attrs.define(eq=False)
class Retention:
    """Delete jobs that finished longer than ``keep`` ago, batch by batch."""

    engine: JobEngine
    keep: timedelta
    interval: float = INTERVAL_SECONDS

    async def run(self) -> None:
        """Delete now and then every ``interval`` seconds; without a pause while there are more."""
        while True:
            if not await self._delete():
                await asyncio.sleep(min(self.interval, self.keep.total_seconds()))

    async def _delete(self) -> int:
        try:
            return await self.engine.delete_finished(self.keep, BATCH)
        except Exception:
            _logger.exception("Finished jobs older than %s were not deleted", self.keep)
            return 0
