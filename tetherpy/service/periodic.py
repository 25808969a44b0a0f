"""Jobs that come back by the calendar: one enqueue per tick, however many workers there are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs

from tetherpy.jobs import Clock, Cron, Every, JobEngine, NewJob

LONGEST_NAP = timedelta(seconds=30)
"""After this long the clock is looked at again: it may have been moved."""

_logger = logging.getLogger("tetherpy.service")


@attrs.frozen
class PeriodicJob:
    """Enqueue ``job`` at each tick of its schedule."""

    name: str
    schedule: Cron | Every
    job: NewJob


@attrs.define(eq=False)
class PeriodicSchedule:
    """Wait for each periodic job's ticks and enqueue them."""

    jobs: Iterable[PeriodicJob]
    engine: JobEngine
    clock: Clock
    longest_nap: timedelta = LONGEST_NAP

    async def run(self) -> None:
        """Serve all periodic jobs; ticks that pass while no worker lives are not made up for."""
        now = self.clock()
        due = {job.name: (job.schedule.next_after(now), job) for job in self.jobs}
        while due:
            tick, job = min(due.values(), key=lambda entry: entry[0])
            if (wait := tick - self.clock()) > timedelta(0):
                await asyncio.sleep(min(wait, self.longest_nap).total_seconds())
                due = self._reconsidered(due)
                continue
            await self._enqueue(job, tick)
            due[job.name] = (job.schedule.next_after(max(tick, self.clock())), job)

    def _reconsidered(self, due: dict[str, tuple[datetime, PeriodicJob]]) -> dict[str, tuple[datetime, PeriodicJob]]:
        # Where the clock was moved back, ticks come sooner than those that were waited for; what was
        # enqueued before is not enqueued again.
        now = self.clock()
        return {name: (min(tick, job.schedule.next_after(now)), job) for name, (tick, job) in due.items()}

    async def _enqueue(self, job: PeriodicJob, tick: datetime) -> None:
        try:
            await self.engine.enqueue_tick(job.name, tick, job.job)
        except Exception:
            _logger.exception("The tick of periodic job %r at %s was not enqueued", job.name, tick)
