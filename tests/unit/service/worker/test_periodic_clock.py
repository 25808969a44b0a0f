"""Periodic jobs after changes of the wall clock."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tetherpy.jobs import Every, NewJob
from tetherpy.service.worker.periodic_jobs import PeriodicJob, PeriodicSchedule

MINUTE = timedelta(minutes=1)


class WallClock:
    """A clock that the test sets, and that reports each read."""

    def __init__(self):
        self.now = datetime(2030, 1, 1, 0, 0, 30, tzinfo=UTC)
        self.reads = 0

    def __call__(self):
        self.reads += 1
        return self.now


@pytest.fixture
async def clock(engine):
    clock = WallClock()
    job = PeriodicJob("often", Every(MINUTE), NewJob(job_key="tick"))
    running = asyncio.create_task(PeriodicSchedule([job], engine, clock, longest_nap=timedelta(milliseconds=5)).run())
    yield clock
    running.cancel()


async def enqueued(engine, clock, number):
    """Wait until a number of ticks have jobs and the schedule has read the clock again."""
    async with asyncio.timeout(25):
        while True:
            reads = clock.reads
            while clock.reads < reads + 5:
                await asyncio.sleep(0.001)
            if (await engine.counts()).pending >= number:
                return (await engine.counts()).pending


async def test_a_clock_that_moves_forward_makes_one_tick_due(engine, clock):
    clock.now += timedelta(days=365)
    assert await enqueued(engine, clock, 1) == 1


async def test_a_clock_that_moves_backwards_delays_no_job_and_repeats_no_tick(engine, clock):
    clock.now += MINUTE
    assert await enqueued(engine, clock, 1) == 1
    clock.now -= MINUTE
    assert await enqueued(engine, clock, 1) == 1
    clock.now += MINUTE
    assert await enqueued(engine, clock, 1) == 1
    clock.now -= timedelta(days=365)
    assert await enqueued(engine, clock, 1) == 1
    clock.now += MINUTE
    assert await enqueued(engine, clock, 2) == 2
