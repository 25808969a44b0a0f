"""Periodic ticks that cannot be stored, that were missed, or whose last job is still running."""

import asyncio
import logging
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.waiting import until
from tetherpy.database import Database
from tetherpy.jobs import (
    JOB_MIGRATIONS,
    BackgroundJobManager,
    Every,
    JobDefinition,
    NewJob,
    SqliteJobEngine,
    background_job,
)
from tetherpy.service import HandlerRegistrationError, InlineWorker
from tetherpy.service.worker.periodic_jobs import PeriodicJob, PeriodicSchedule

HOUR = timedelta(hours=1)
START = datetime(2030, 1, 1, 0, 30, tzinfo=UTC)


class WallClock:
    def __init__(self):
        self.now = START
        self.reads = 0

    def __call__(self):
        self.reads += 1
        return self.now


@pytest.fixture
def clock():
    return WallClock()


@pytest.fixture
async def engine(tmp_path, clock):
    async with Database.open(tmp_path / "app.db", migrations=JOB_MIGRATIONS, busy_timeout=0.01) as db:
        yield SqliteJobEngine(db, clock=clock)


@pytest.fixture
async def follow(engine, clock):
    """Return a function that replaces the running schedule and waits until it sleeps until its first tick."""
    tasks = []

    async def start(job):
        for task in tasks:
            task.cancel()
        schedule = PeriodicSchedule([job], engine, clock, longest_nap=timedelta(milliseconds=2))
        before = clock.reads
        tasks.append(asyncio.create_task(schedule.run()))
        await until(lambda: asyncio.sleep(0, clock.reads >= before + 2))

    yield start
    for task in tasks:
        task.cancel()


async def count(engine):
    return (await engine.counts()).total


def hourly(**options):
    return PeriodicJob("hourly", Every(HOUR), NewJob(job_key="k"), **options)


async def test_a_tick_is_stored_after_the_database_was_locked(engine, clock, follow, tmp_path, caplog):
    other = sqlite3.connect(tmp_path / "app.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    await follow(hourly())
    with caplog.at_level(logging.ERROR, "tetherpy.service"):
        clock.now += HOUR
        await until(lambda: asyncio.sleep(0, len(caplog.records) >= 3))
    assert "trying again" in caplog.messages[0]
    other.execute("ROLLBACK")
    other.close()
    await until(lambda: has(engine, 1))


async def has(engine, number):
    return await count(engine) == number


async def test_a_job_that_cannot_be_stored_skips_its_tick_and_not_the_next(engine, clock, follow, caplog):
    engine.max_payload_bytes = 10
    job = PeriodicJob("large", Every(HOUR), NewJob(job_key="k", payload="more than ten bytes"))
    await follow(job)
    clock.now += HOUR
    await until(lambda: asyncio.sleep(0, bool(caplog.records)))
    assert "cannot be enqueued" in caplog.messages[0]
    engine.max_payload_bytes = 1000
    clock.now += HOUR
    await until(lambda: has(engine, 1))


@pytest.mark.parametrize(("catch_up", "made_up_for"), [("none", 0), ("last", 1)])
async def test_catch_up_decides_whether_a_missed_tick_is_enqueued(engine, clock, follow, catch_up, made_up_for):
    job = hourly(catch_up=catch_up)
    await follow(job)
    clock.now += HOUR
    await until(lambda: has(engine, 1))
    await follow(PeriodicJob("other", Every(timedelta(days=9)), NewJob(job_key="k")))
    clock.now += 5 * HOUR
    await follow(job)
    await until(lambda: has(engine, 1 + made_up_for))
    clock.now += HOUR
    await until(lambda: has(engine, 2 + made_up_for))


async def test_the_first_worker_of_a_database_enqueues_no_earlier_ticks(engine, clock, follow):
    job = hourly(catch_up="last")
    await follow(job)
    await until(lambda: knows_ticks(engine))
    assert await count(engine) == 0
    clock.now += 5 * HOUR + timedelta(minutes=10)
    await follow(job)
    await until(lambda: has(engine, 1))


async def knows_ticks(engine):
    return bool(await engine.db.get_all("SELECT * FROM background_service_ticks"))


async def test_a_tick_enqueues_nothing_while_its_last_job_is_active(tmp_path, clock):
    async with (
        Database.open(tmp_path / "app.db", migrations=JOB_MIGRATIONS) as db,
        InlineWorker.open(db, clock=clock) as worker,
    ):
        service, manager = worker.service, BackgroundJobManager(worker.engine)
        service.register_job_handler("k", lambda service, payload, db: None)
        service.register_periodic_job("piles", job_key="k", every=3600)
        service.register_periodic_job("alone", job_key="k", every=3600, overlap=False)
        service.register_periodic_job("named", job_key="k", every=3600, unique_key="mine")
        jobs = tuple(worker.context.periodic.values())
        for n in range(1, 4):
            for job in jobs:
                await worker.engine.enqueue_tick(job.name, START + n * HOUR, job.job)
        stored = [job.unique_key for job in await manager.get_all_jobs()]
        assert sorted(map(str, stored)) == ["None", "None", "None", "mine", "periodic:alone"]
        for options in ({"unique_key": "a", "overlap": False}, {"catch_up": "all"}, {"run_at": START}):
            with pytest.raises(HandlerRegistrationError):
                service.register_periodic_job("wrong", job_key="k", every=1, **options)


async def test_a_periodic_job_has_the_options_of_its_definition_unless_they_are_given(tmp_path, clock):
    report = JobDefinition("report", payload=str, queue="slow", max_attempts=7, priority=2, meta={"tenant": "7"})
    async with (
        Database.open(tmp_path / "app.db", migrations=JOB_MIGRATIONS) as db,
        InlineWorker.open(db, clock=clock) as worker,
    ):
        worker.service.register_periodic_job("weekly", report, "may", every=3600, priority=5, overlap=False)
        (periodic,) = worker.context.periodic.values()
        job = await worker.engine.get(await worker.engine.enqueue_tick("weekly", START + HOUR, periodic.job))
        assert (job.job_key, job.payload, job.queue, job.max_attempts) == ("report", "may", "slow", 7)
        assert (job.priority, job.meta, job.unique_key) == (5, {"tenant": "7"}, "periodic:weekly")
        keyed = JobDefinition("keyed", unique_key="mine")
        with pytest.raises(HandlerRegistrationError):
            worker.service.register_periodic_job("wrong", keyed, every=1, overlap=False)


async def test_a_periodic_job_brings_the_handler_of_its_definition(tmp_path, clock):
    @background_job("clean")
    async def clean(service, payload: None, db) -> None: ...

    async with (
        Database.open(tmp_path / "app.db", migrations=JOB_MIGRATIONS) as db,
        InlineWorker.open(db, clock=clock) as worker,
    ):
        worker.service.register_periodic_job("elsewhere", JobDefinition("no handler here"), every=3600)
        assert worker.context.handlers.keys == set()
        worker.service.register_periodic_job("nightly", clean, every=3600)
        worker.service.register_jobs(clean)
        worker.service.register_periodic_job("weekly", clean, every=7 * 24 * 3600)
        assert worker.context.handlers.keys == {"clean"}
