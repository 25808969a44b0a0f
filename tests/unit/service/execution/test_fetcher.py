"""The fetcher with a real engine, without processes."""

import asyncio

import pytest

from tetherpy.jobs import (
    BackgroundJobStatus,
    NewJob,
    Progress,
    SqliteJobEngine,
    utc_now,
)
from tetherpy.service.execution.executor import Executor
from tetherpy.service.execution.fetcher import Fetcher
from tetherpy.service.execution.handlers import HandlerRegistry
from tetherpy.service.execution.outcome_policy import OutcomePolicy
from tetherpy.service.execution.progress_reports import ProgressBoard


class CountingEngine(SqliteJobEngine):
    """The real engine, which also counts its calls."""

    def __init__(self, db):
        super().__init__(db)
        self.exchanges = []

    async def ack_and_fetch(self, worker_id, acks, slots, queues=None, keys=None):
        self.exchanges.append((len(acks), slots))
        return await super().ack_and_fetch(worker_id, acks, slots, queues, keys)


@pytest.fixture
def engine(db):
    return CountingEngine(db)


@pytest.fixture
def make_claimer(engine, db):
    def make(slots, **handlers):
        registry = HandlerRegistry()
        for key, handler in handlers.items():
            registry.add(key, handler, None, None)
        executor = Executor(registry, lambda run, _handler: (run, db), OutcomePolicy(utc_now), slots)
        fetcher = Fetcher(engine, "me", None, executor, ProgressBoard(engine), utc_now, lambda all_busy: None)
        executor.on_acknowledged, executor.on_free = fetcher.acknowledge, fetcher.wake
        return fetcher

    return make


async def noop(service, payload, db):
    return payload


async def drained(fetcher, manager, number):
    task = asyncio.create_task(fetcher.run())
    async with asyncio.timeout(25):
        while (await manager.get_counts()).completed < number:
            await asyncio.sleep(0.001)
        fetcher.drain()
        await task


async def test_one_call_stores_outcomes_and_claims_jobs_for_all_free_slots(make_claimer, manager, engine):
    await manager.enqueue_many(NewJob(job_key="noop") for _ in range(100))
    await drained(make_claimer(10, noop=noop), manager, 100)
    # Ten fetches, each but the first with the outcomes of the one before, and one without jobs.
    assert engine.exchanges[0] == (0, 10)
    assert engine.exchanges[1:10] == [(10, 10)] * 9
    assert engine.exchanges[10] == (10, 10)
    assert len(engine.exchanges) == 11


async def test_a_claim_that_is_pending_at_shutdown_is_released(make_claimer, manager):
    job_id = await manager.enqueue("noop")
    fetcher = make_claimer(1, noop=noop)
    task = asyncio.create_task(fetcher.run())
    await asyncio.sleep(0)
    fetcher.drain()
    async with asyncio.timeout(25):
        await task
    job = await manager.get_job_by_id(job_id)
    assert (job.status, job.attempts) == ("PENDING", 0)
    assert [attempt.outcome for attempt in await manager.get_attempts(job_id)] == ["released"]


async def test_the_fetcher_is_idle_when_no_job_runs_or_is_being_claimed_or_stored(
    make_claimer, manager, engine, monkeypatch
):
    idle = []
    original = engine.ack_and_fetch

    async def ack_and_fetch(worker_id, acks, slots, queues=None, keys=None):
        idle.append(fetcher.is_idle)
        return await original(worker_id, acks, slots, queues, keys)

    async def look(service, payload, db):
        idle.append(fetcher.is_idle)

    monkeypatch.setattr(engine, "ack_and_fetch", ack_and_fetch)
    fetcher = make_claimer(1, look=look)
    assert fetcher.is_idle
    await manager.enqueue("look")
    await drained(fetcher, manager, 1)
    assert idle == [False] * 3  # during the claim, in the handler, and while the outcome is stored
    assert fetcher.is_idle


async def test_an_idle_fetcher_polls_once(make_claimer, engine, clock):
    fetcher = make_claimer(10)
    task = asyncio.create_task(fetcher.run())
    while not (engine.exchanges and fetcher.is_idle):
        await asyncio.sleep(0)
    await clock.advance(3600)
    assert engine.exchanges == [(0, 10)]
    fetcher.drain()
    await task


async def test_an_outcome_that_cannot_be_stored_is_kept_and_stored_later(
    make_claimer, manager, engine, db, monkeypatch
):
    job_id = await manager.enqueue("noop")
    failures = [OSError("the disk went away"), OSError("and is still away")]
    original = engine.ack_and_fetch

    async def ack_and_fetch(worker_id, acks, slots, queues=None, keys=None):
        if acks and failures:
            raise failures.pop()
        return await original(worker_id, acks, slots, queues, keys)

    monkeypatch.setattr(engine, "ack_and_fetch", ack_and_fetch)
    await drained(make_claimer(1, noop=noop), manager, 1)
    assert failures == []
    assert (await manager.get_job_by_id(job_id)).attempts == 1


async def test_an_older_run_of_a_job_that_was_claimed_again_also_ends(engine, manager, make_claimer):
    gates = []

    async def wait(service, payload, db):
        gates.append(asyncio.Event())
        await gates[-1].wait()
        return len(gates)

    fetcher = make_claimer(2, wait=wait)
    working = asyncio.create_task(fetcher.run())
    job_id = await manager.enqueue("wait")
    async with asyncio.timeout(25):
        for runs in (1, 2):
            fetcher.wake()
            while len(gates) < runs:
                await asyncio.sleep(0.005)
            if runs == 1:
                await manager.update_job_status(job_id, BackgroundJobStatus.FAILED)
                await manager.retry_job(job_id)
        for ended, gate in enumerate(gates, 1):
            gate.set()
            while fetcher.executor.free_slots < ended:
                await asyncio.sleep(0.005)
        job = await manager.wait_for(job_id)
        fetcher.drain()
        await working
    assert (job.status, job.attempts, fetcher.executor.free_slots) == (BackgroundJobStatus.COMPLETED, 2, 2)


async def test_a_failed_write_of_progress_loses_no_claim(make_claimer, manager, engine, monkeypatch):
    async def report(service, payload, db):
        fetcher.progress.report(Progress(service.claim, 0.5))

    async def fail(updates):
        raise OSError("no room for advice")

    monkeypatch.setattr(engine, "report_progress", fail)
    await manager.enqueue_many(NewJob(job_key="report") for _ in range(3))
    fetcher = make_claimer(1, report=report)
    await drained(fetcher, manager, 3)
