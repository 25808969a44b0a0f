"""Rows that another transaction has locked do not block other jobs, and are checked again later."""

import asyncio
from datetime import timedelta

import psycopg
import pytest

from tetherpy.database import DatabaseLockedError
from tetherpy.jobs import (
    Ack,
    AckAndFetch,
    BackgroundJobStatus,
    Completed,
    NewJob,
    PostgresJobEngine,
    Progress,
    utc_now,
)
from tetherpy.service.execution.executor import Executor
from tetherpy.service.execution.fetcher import Fetcher
from tetherpy.service.execution.handlers import HandlerRegistry
from tetherpy.service.execution.outcome_policy import OutcomePolicy
from tetherpy.service.execution.progress_reports import ProgressBoard

BOUND = 25.0


@pytest.fixture
def db(empty_tables):
    return empty_tables


@pytest.fixture
def engine(db):
    return PostgresJobEngine(db)


async def test_a_locked_job_blocks_neither_outcome_nor_progress_of_others(db, engine, monkeypatch):
    monkeypatch.setattr("tetherpy.jobs.postgres.acknowledging.LOCKED_SECONDS", 0.0)
    ids = await engine.enqueue([NewJob(job_key="k") for _ in range(4)])
    locked, other, third, gone = (await engine.ack_and_fetch("w", [], 4)).claims
    await engine.move(gone.id, BackgroundJobStatus.FAILED)
    ends = [Ack(claim, Completed()) for claim in (locked, other, gone)]

    async def work():
        with pytest.raises(DatabaseLockedError):
            await engine.report_progress([Progress(locked, 0.5), Progress(third, 0.5)])
        ack_and_fetch = await engine.ack_and_fetch("w", ends, 1)
        assert (ack_and_fetch.postponed, ack_and_fetch.rejected, ack_and_fetch.claims) == ((ends[0],), (ends[2],), ())

    async with asyncio.timeout(BOUND):
        async with db.transaction() as tx:
            await tx.execute("SELECT FROM background_service_jobs WHERE id = ? FOR UPDATE", (locked.id,))
            await asyncio.create_task(work())
            jobs = await engine.get_many(ids)
            assert (jobs[other.id].status, jobs[third.id].progress) == (BackgroundJobStatus.COMPLETED, 0.5)
        ack_and_fetch = await engine.ack_and_fetch("w", ends[:1], 0)
    assert ack_and_fetch == AckAndFetch()
    assert (await engine.get(locked.id)).status is BackgroundJobStatus.COMPLETED


@pytest.fixture
def start_claimer(db, engine):
    """Return a function that starts the claim loop of a worker without change notifications."""

    def start(handler, looked):
        registry = HandlerRegistry()
        registry.add("k", handler, None, None)
        executor = Executor(registry, lambda run, _handler: (run, db), OutcomePolicy(utc_now), 2)
        fetcher = Fetcher(engine, "w", None, executor, ProgressBoard(engine), utc_now, looked)
        executor.on_acknowledged, executor.on_free = fetcher.acknowledge, fetcher.wake
        return fetcher, asyncio.create_task(fetcher.run())

    return start


async def test_a_job_locked_by_a_dying_connection_runs_without_a_notification(
    db, engine, empty_tables_url, start_claimer
):
    looked = asyncio.Event()
    (job_id,) = await engine.enqueue([NewJob(job_key="k")])
    async with asyncio.timeout(BOUND):
        dying = await psycopg.AsyncConnection.connect(empty_tables_url)
        # Like a claim of a process or machine that fails before its commit.
        await dying.execute("SELECT FROM procrastinate_jobs WHERE id = %s FOR UPDATE", (job_id,))
        fetcher, working = start_claimer(lambda service, payload, db: "ran", lambda all_busy: looked.set())
        await looked.wait()
        assert (await engine.get(job_id)).attempts == 0
        await db.execute("SELECT pg_terminate_backend(?)", (dying.info.backend_pid,))
        job = await engine.get(job_id)
        while not job.status.is_finished:
            await asyncio.sleep(0.02)
            job = await engine.get(job_id)
        fetcher.drain()
        await working
        await dying.close()
    assert (job.result, job.attempts) == ("ran", 1)


async def test_a_locked_job_does_not_delay_a_job_that_is_due_before_the_next_look(db):
    now = utc_now()
    engine = PostgresJobEngine(db, clock=lambda: now)
    (locked,) = await engine.enqueue([NewJob(job_key="k")])
    looks = []
    has_lock, free = asyncio.Event(), asyncio.Event()
    holding = asyncio.create_task(hold(db, locked, has_lock, free))
    await has_lock.wait()
    for delay in (9, 0.2):
        await engine.enqueue([NewJob(job_key="k", delay=delay)])
        looks.append((await engine.ack_and_fetch("w", [], 2)).next_due - now)
    free.set()
    await holding
    assert looks == [timedelta(seconds=1), timedelta(seconds=0.2)]


async def test_a_postponed_outcome_is_stored_when_its_job_is_unlocked(db, engine, start_claimer):
    free, ran = asyncio.Event(), asyncio.Queue()

    async def handler(run, payload, _):
        if payload == "locked":
            locked = asyncio.Event()
            ran.put_nowait(asyncio.create_task(hold(db, run.claim.id, locked, free)))
            await locked.wait()

    first, second = await engine.enqueue([NewJob(job_key="k", payload="locked"), NewJob(job_key="k")])
    fetcher, working = start_claimer(handler, lambda all_busy: None)
    async with asyncio.timeout(BOUND):
        holding = await ran.get()
        while (await engine.get(second)).status is not BackgroundJobStatus.COMPLETED:
            await asyncio.sleep(0.02)
        assert (await engine.get(first)).status is BackgroundJobStatus.RUNNING
        free.set()
        await holding
        fetcher.drain()
        await working
    assert (await engine.get(first)).status is BackgroundJobStatus.COMPLETED
    assert len(await engine.attempts(first)) == 1


async def hold(db, job_id, locked, free):
    async with db.transaction() as tx:
        await tx.execute("SELECT FROM procrastinate_jobs WHERE id = ? FOR UPDATE", (job_id,))
        locked.set()
        await free.wait()
