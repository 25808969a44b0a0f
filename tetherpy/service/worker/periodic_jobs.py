"""Periodic jobs: enqueue one job per tick, however many workers there are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, TypeAlias, TypeVar, get_args

import attrs

from tetherpy.database import DatabaseClosedError
from tetherpy.jobs import JobEngine, JobError, NewJob, NewJobOptions, Schedule, WallClock, last_tick

from ..errors import HandlerRegistrationError
from ..execution.store_retries import retry_pauses

LONGEST_NAP = timedelta(seconds=30)
"""Maximum of one sleep, because the clock may be changed during the sleep."""

CatchUp: TypeAlias = Literal["none", "last"]
"""The treatment of missed ticks: skip them, or enqueue the last one."""


class PeriodicJobOptions(NewJobOptions, total=False):
    """The schedule of a periodic job, and the options of its jobs."""

    cron: str | None
    every: timedelta | float | None
    time_zone: str
    overlap: bool
    catch_up: CatchUp


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
    clock: WallClock
    longest_nap: timedelta = LONGEST_NAP
    _registered: asyncio.Event = attrs.field(init=False, factory=asyncio.Event)

    def refresh(self) -> None:
        """Wake ``run``, which then serves the jobs registered since the last call."""
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
        """Wait until a tick is due and return it, or an earlier one if the clock was set back during the wait."""
        while (wait := tick - self.clock()) > timedelta(0):
            await asyncio.sleep(min(wait, self.longest_nap).total_seconds())
            # A tick from before the clock was set back is not enqueued twice: the engine stores the enqueued ticks.
            tick = min(tick, job.schedule.next_after(self.clock()))
        return tick

    async def _stored(self, job: PeriodicJob, tick: datetime, store: Callable[[], Awaitable[T]]) -> T | None:
        """Try until the database has stored it; None if that is impossible."""
        for pause in retry_pauses():
            try:
                return await store()
            except DatabaseClosedError:
                # A handler closed the database. It stays closed, so this worker must end.
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
