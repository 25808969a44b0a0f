"""Calls that commit on their own are refused while the calling task holds a transaction."""

import asyncio

import pytest

from tetherpy.database import TransactionHeldError
from tetherpy.jobs import Ack, BackgroundJobStatus, Completed, JobQuery, NewJob, Progress, WorkerRecord


async def test_calls_that_commit_are_refused_inside_a_transaction_of_the_same_task(kit):
    engine, now = kit.engine, kit.time.now
    await kit.add("runs")
    claim = await kit.claim_one()
    waiting = await kit.add("waits")
    before = await engine.find(JobQuery())
    job = NewJob(job_key="k", unique_key="held by the transaction")
    changes = [
        lambda: engine.enqueue([job]),
        lambda: engine.enqueue([NewJob(job_key="k"), job]),
        lambda: engine.move(waiting, BackgroundJobStatus.CANCELLED),
        lambda: engine.retry(waiting, reset_attempts=True),
        lambda: engine.request_cancel(waiting),
        lambda: engine.delete(waiting),
        lambda: engine.delete_by_status(BackgroundJobStatus.PENDING),
        lambda: engine.ack_and_fetch("w1", [Ack(claim, Completed())], 1),
        lambda: engine.ack_and_fetch("w1", [], 1),
        lambda: engine.report_progress([Progress(claim, 0.5)]),
        lambda: engine.register_worker(WorkerRecord(id="w1", pid=1, host="h", started_at=now, heartbeat_at=now)),
        lambda: engine.heartbeat("w1"),
        lambda: engine.unregister_worker("w1"),
        lambda: engine.rescue(["w1"]),
        lambda: engine.enqueue_tick("nightly", now, NewJob(job_key="k")),
    ]
    async with asyncio.timeout(25), kit.transaction() as transaction:
        (joined,) = await engine.enqueue([job], transaction)
        for change in changes:
            with pytest.raises(TransactionHeldError, match="transaction=tx"):
                await change()
        assert await engine.find(JobQuery()) == before
        assert await engine.enqueue([]) == []
    assert [job.id for job in await engine.find(JobQuery())] == [joined, waiting, claim.id]


async def test_the_refusal_covers_nested_transactions_and_not_other_tasks(kit):
    async with kit.transaction(), kit.transaction():
        with pytest.raises(TransactionHeldError):
            await kit.add()
    async with kit.transaction() as transaction:
        # A file has one write lock; a server runs both transactions at once.
        beside = asyncio.create_task(kit.add("beside"))
        await kit.engine.enqueue([NewJob(job_key="inside")], transaction)
    await beside
    assert sorted(job.job_key for job in await kit.engine.find(JobQuery())) == ["beside", "inside"]
