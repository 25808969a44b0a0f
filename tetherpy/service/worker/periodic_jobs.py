"""Enqueue periodic jobs at their ticks: one job per tick, however many workers there are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, TypeAlias, TypeVar, get_args

import attrs

from tetherpy.database import DatabaseClosedError
from tetherpy.jobs import Clock, JobEngine, JobError, NewJob, Schedule, last_tick

from ..errors import HandlerRegistrationError
from ..execution.store_retries import retry_pauses

LONGEST_NAP = timedelta(seconds=30)
"""After this long the clock is looked at again: it may have been moved."""

CatchUp: TypeAlias = Literal["none", "last"]
"""What becomes of ticks that nobody could serve in time: they are left out, or the last of them is made up for."""

T = TypeVar("T")

_logger = logging.getLogger("tetherpy.service")


def _known(job: PeriodicJob, _: object, value: str) -> None:
    if value not in get_args(CatchUp):
        raise HandlerRegistrationError(job.name, f'catch_up is {value!r}; it must be "none" or "last"')


@attrs.frozen
class PeriodicJob:
    """Enqueue ``job`` at each tick of its schedule."""

    name: str
    schedule: Schedule
    job: NewJob
    catch_up: CatchUp = attrs.field(default="none", validator=_known)


@attrs.define(eq=False)
class PeriodicSchedule:
    """Wait for each periodic job's ticks and enqueue them.

    A tick that the database cannot take is kept and tried again until it is stored.
    """

    jobs: Iterable[PeriodicJob]
    engine: JobEngine
    clock: Clock
    longest_nap: timedelta = LONGEST_NAP
    _registered: asyncio.Event = attrs.field(init=False, factory=asyncio.Event)

    def look(self) -> None:
        """Serve the jobs too that were registered meanwhile."""
        self._registered.set()

    async def run(self) -> None:
        """Serve all periodic jobs until cancelled."""
        served: set[str] = set()
        async with asyncio.TaskGroup() as group:
            while True:
                self._registered.clear()
                for job in tuple(self.jobs):
                    if job.name not in served:
                        served.add(job.name)
                        group.create_task(self._serve(job))
                await self._registered.wait()

    async def _serve(self, job: PeriodicJob) -> None:
        tick = await self._first_tick(job)
        while True:
            tick = await self._reached(job, tick)
            await self._stored(job, tick, partial(self.engine.enqueue_tick, job.name, tick, job.job))
            tick = self._following(job, tick)

    async def _first_tick(self, job: PeriodicJob) -> datetime:
        now = self.clock()
        missed = last_tick(job.schedule, now) if job.catch_up == "last" else None
        if missed is not None:
            newest = await self._stored(job, missed, partial(self.engine.newest_tick, job.name, missed))
            if newest is not None and newest < missed:
                return missed
        return job.schedule.next_after(now)

    def _following(self, job: PeriodicJob, tick: datetime) -> datetime:
        now = self.clock()
        missed = last_tick(job.schedule, now) if job.catch_up == "last" else None
        if missed is not None and missed > tick:
            return missed
        return job.schedule.next_after(max(tick, now))

    async def _reached(self, job: PeriodicJob, tick: datetime) -> datetime:
        """Wait until a tick is due and return it, or an earlier one if the clock was moved back meanwhile."""
        while (wait := tick - self.clock()) > timedelta(0):
            await asyncio.sleep(min(wait, self.longest_nap).total_seconds())
            # A tick that had its job before the clock was moved back has none again: the engine remembers it.
            tick = min(tick, job.schedule.next_after(self.clock()))
        return tick

    async def _stored(self, job: PeriodicJob, tick: datetime, store: Callable[[], Awaitable[T]]) -> T | None:
        """Try until the database has taken it; None if it never can."""
        for pause in retry_pauses():
            try:
                return await store()
            except DatabaseClosedError:
                # A handler closed what it was given. It stays closed, so this worker has to end.
                raise
            except JobError:
                _logger.exception("The tick of periodic job %r at %s cannot be enqueued", job.name, tick)
                return None
            except Exception:
                _logger.exception(
                    "The tick of periodic job %r at %s was not stored; trying again in %g s", job.name, tick, pause
                )
            await asyncio.sleep(pause)
        return None
