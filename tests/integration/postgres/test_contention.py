"""Several workers and apps that change the same rows concurrently: the second sees the result of the first."""

import asyncio
import os
import resource
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tetherpy.database import DatabaseLockedError, PostgresDatabase, TransactionConflictError
from tetherpy.database.postgres import database
from tetherpy.jobs import (
    Ack,
    BackgroundJobManager,
    BackgroundJobStatus,
    Completed,
    JobCounts,
    NewJob,
    PostgresJobEngine,
    Progress,
    engine_of,
    open_database,
)
from tetherpy.jobs.postgres import moving
from tetherpy.jobs.postgres.calls import requests
from tetherpy.jobs.postgres.statements import sql
from tetherpy.service.execution.notification import Notification
from tetherpy.service.worker.heartbeat import Heartbeat

BOUND = 25.0


@pytest.fixture
def db(empty_tables):
    return empty_tables


@pytest.fixture
def ticks():
    return [0.0]


@pytest.fixture
def engine(db, ticks):
    return PostgresJobEngine(db, monotonic=lambda: ticks[0])


async def blocked(db, statements=1):
    """Wait until a number of statements of this database wait for a lock."""
    async with asyncio.timeout(BOUND):
        while (
            await db.get(
                "SELECT count(*) AS n FROM pg_stat_activity "
                "WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
        )["n"] < statements:
            await asyncio.sleep(0.005)


async def claim_one(engine, worker):
    (claim,) = (await engine.ack_and_fetch(worker, [], 1)).claims
    return claim


async def test_two_workers_that_detect_a_dead_worker_rescue_its_job_once(db, engine):
    (job_id,) = await engine.enqueue([NewJob(job_key="k")])
    await claim_one(engine, "dead")
    async with asyncio.timeout(BOUND), asyncio.TaskGroup() as group, db.transaction() as tx:
        # Another worker has rescued the job, just before this one tries to.
        now = datetime.now(UTC)
        await tx.connection.execute(sql("rescue"), {"workers": ["dead"], "outcome": "worker died", "now": now})
        await tx.execute(
            "SELECT tetherpy_ack_and_fetch('alive', NULL, NULL, NULL, 1, NULL, NULL, now(), now() + interval '1 hour')"
        )
        late = group.create_task(engine.rescue(["dead"]))
        await blocked(db)
    assert late.result() == []
    job = await engine.get(job_id)
    assert (job.status, job.claimed_by, job.attempts) == (BackgroundJobStatus.RUNNING, "alive", 2)


async def test_a_lease_that_is_extended_concurrently_is_not_taken(db, engine, ticks):
    (job_id,) = await engine.enqueue([NewJob(job_key="k")])
    await claim_one(engine, "slow")
    await engine.rescue_expired()
    ticks[0] += engine.lease.total_seconds()
    async with asyncio.timeout(BOUND):
        async with db.transaction() as tx:
            await tx.execute("UPDATE tetherpy_job_records SET lease_expires_at = now() WHERE job_id = ?", (job_id,))
            assert await asyncio.create_task(engine.rescue_expired()) == []  # nor does it wait
        assert await engine.rescue_expired() == []
    assert (await engine.get(job_id)).claimed_by == "slow"


async def test_a_long_transaction_of_a_handler_does_not_block_the_leases_of_other_jobs(db, engine):
    await engine.enqueue([NewJob(job_key="k"), NewJob(job_key="k")])
    first, second = (await engine.ack_and_fetch("w", [], 2)).claims
    async with asyncio.timeout(BOUND), db.transaction() as tx:
        await engine.acknowledge(Ack(first, Completed()), tx)
        await asyncio.create_task(engine.heartbeat("w"))
    assert (await engine.get(second.id)).lease_expires_at > second.job.lease_expires_at
    assert (await engine.get(first.id)).status is BackgroundJobStatus.COMPLETED


async def test_calls_that_wait_for_transactions_of_the_app_do_not_block_the_worker(db, engine):
    await engine.enqueue([NewJob(job_key="k"), NewJob(job_key="k")])
    first, second = (await engine.ack_and_fetch("w", [], 2)).claims
    keys = [NewJob(job_key="k", unique_key=str(number), priority=-1) for number in range(4)]
    async with asyncio.timeout(BOUND), asyncio.TaskGroup() as group, db.transaction() as tx:
        held = await engine.enqueue(keys, tx)
        waiting = [group.create_task(engine.enqueue([job])) for job in keys]
        await blocked(db, len(keys))

        async def work():
            await engine.heartbeat("w")
            await engine.report_progress([Progress(second, 0.5)])
            assert (await engine.ack_and_fetch("w", [Ack(first, Completed())], 1)).rejected == ()
            assert (await engine.get(second.id)).progress == 0.5

        await asyncio.create_task(work())
    assert [task.result() for task in waiting] == [[job_id] for job_id in held]


async def test_a_lock_timeout_of_a_worker_is_one_clear_error(db, empty_tables_url, monkeypatch):
    monkeypatch.setattr(database, "OWN_LOCK_SECONDS", 0.05)
    monkeypatch.setattr(requests, "LOCKED_SECONDS", 0.0)
    async with asyncio.timeout(BOUND), open_database(empty_tables_url) as other:
        engine = engine_of(other)
        (job_id,) = await engine.enqueue([NewJob(job_key="k")])
        await claim_one(engine, "dead")
        async with db.transaction() as tx:
            await tx.execute("SELECT FROM tetherpy_job_records WHERE job_id = ? FOR UPDATE", (job_id,))
            with pytest.raises(DatabaseLockedError, match="nothing was written"):
                await engine.rescue(["dead"])
        assert await engine.rescue(["dead"]) == [job_id]


async def test_a_job_that_is_retried_during_a_cleanup_is_kept(db, engine):
    (job_id,) = await engine.enqueue([NewJob(job_key="k")])
    await engine.ack_and_fetch("w", [Ack(await claim_one(engine, "w"), Completed())], 0)
    async with asyncio.timeout(BOUND), asyncio.TaskGroup() as group, db.transaction() as tx:
        await moving.retry(tx.connection, job_id, False, engine.clock())
        deleting = group.create_task(engine.delete_finished(timedelta(0)))
        await blocked(db)
    assert deleting.result() == 0
    assert (await engine.get(job_id)).status is BackgroundJobStatus.PENDING


async def test_a_unique_key_conflict_that_a_snapshot_cannot_see_is_an_error(empty_tables_url, engine):
    job = NewJob(job_key="k", unique_key="once")
    async with await psycopg.AsyncConnection.connect(empty_tables_url) as connection:
        await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        await connection.execute("SELECT count(*) FROM procrastinate_jobs")
        await engine.enqueue([job])
        async with asyncio.timeout(BOUND):
            with pytest.raises(TransactionConflictError, match="run the whole transaction again"):
                await engine.enqueue([job], connection)
        await connection.rollback()


async def test_a_batch_that_deadlocks_with_another_transaction_is_stored(db, engine):
    one, two = NewJob(job_key="k", unique_key="one"), NewJob(job_key="k", unique_key="two")
    async with asyncio.timeout(BOUND), asyncio.TaskGroup() as group, db.transaction() as tx:
        await tx.execute("SET LOCAL deadlock_timeout = '1h'")  # the other statement is rolled back
        theirs = await engine.enqueue([two], tx)
        storing = group.create_task(engine.enqueue([one, two]))
        await blocked(db)
        theirs += await engine.enqueue([one], tx)
    assert storing.result() == theirs[::-1]


async def test_a_batch_waits_for_a_key_without_holding_a_later_one(db, engine):
    first, last = NewJob(job_key="k", unique_key="1"), NewJob(job_key="k", unique_key="2")
    async with asyncio.timeout(BOUND), asyncio.TaskGroup() as group, db.transaction() as tx:
        await tx.execute("SET LOCAL deadlock_timeout = '1ms'")  # a deadlock would end this transaction
        theirs = await engine.enqueue([first], tx)
        storing = group.create_task(engine.enqueue([last, NewJob(job_key="k"), first]))
        await blocked(db)
        theirs += await engine.enqueue([last], tx)
    stored = storing.result()
    assert (stored[2], stored[0]) == tuple(theirs)
    assert len(set(stored)) == 3


async def test_transactions_that_enqueue_the_same_keys_in_opposite_order_get_one_clear_error(db, engine):
    keys = [NewJob(job_key="k", unique_key=key) for key in ("1", "2")]
    begun = asyncio.Barrier(2)

    async def enqueue(jobs):
        async with db.transaction() as tx:
            await tx.execute("SET LOCAL deadlock_timeout = '50ms'")
            for job in jobs:
                await engine.enqueue([job], tx)
                if job is jobs[0]:
                    await begun.wait()

    async with asyncio.timeout(BOUND):
        ends = await asyncio.gather(enqueue(keys), enqueue(keys[::-1]), return_exceptions=True)
        (error,) = [end for end in ends if end is not None]
        assert isinstance(error, TransactionConflictError)
        assert "deadlock detected" in error.detail
        assert (await engine.counts()).pending == 2


async def test_jobs_with_and_without_keys_are_claimed_in_the_order_of_the_call(engine):
    given = [NewJob(job_key="k", payload=n, unique_key=key) for n, key in enumerate(["b", None, "a", "b", None])]
    ids = await engine.enqueue(given)
    assert ids[3] == ids[0]
    claims = (await engine.ack_and_fetch("w", [], 9)).claims
    assert [claim.job.payload for claim in claims] == [0, 1, 2, 4]
    assert [claim.id for claim in claims] == [ids[0], ids[1], ids[2], ids[4]]


async def test_a_job_that_completes_with_progress_locks_no_record_before_its_row(db, engine):
    (job_id,) = await engine.enqueue([NewJob(job_key="k")])
    claim = await claim_one(engine, "w")

    async def complete():
        async with db.transaction() as tx:
            await engine.acknowledge(Ack(claim, Completed()), tx, Progress(claim, 0.75, "most"))

    async with asyncio.timeout(BOUND), asyncio.TaskGroup() as group, db.transaction() as tx:
        await tx.execute("SET LOCAL deadlock_timeout = '1ms'")
        await tx.execute("SELECT FROM procrastinate_jobs WHERE id = ? FOR UPDATE", (job_id,))
        group.create_task(complete())
        await blocked(db)
        await tx.execute("SELECT FROM tetherpy_job_records WHERE job_id = ? FOR UPDATE", (job_id,))
    job = await engine.get(job_id)
    assert (job.status, job.progress, job.progress_message) == (BackgroundJobStatus.COMPLETED, 0.75, "most")


async def test_connections_work_in_a_process_with_many_descriptors(empty_tables_url):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    null = os.open(os.devnull, os.O_RDONLY)
    more = [os.dup(null) for _ in range(1100)]
    try:
        async with PostgresDatabase.open(empty_tables_url) as db:
            for _ in range(2):
                assert (await db.get("SELECT 1 AS one"))["one"] == 1
    finally:
        for descriptor in (null, *more):
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


async def test_a_server_that_does_not_respond_does_not_block_the_worker(db):
    beats = asyncio.Queue()
    notification = Notification("", "", lambda frame: None)
    lease = timedelta(seconds=0.3)
    heartbeat = Heartbeat(
        engine_of(db, lease=lease),
        "w",
        lease,
        notification,
        lambda ids: None,
        lambda: beats.put_nowait(None),
        lambda: None,
    )
    async with asyncio.timeout(BOUND), db.transaction() as tx:
        await tx.execute("LOCK TABLE background_service_workers")
        beating = asyncio.create_task(heartbeat.run())
        for _ in range(3):
            await beats.get()
        beating.cancel()
        await asyncio.wait([beating])


WAITING_FOR_A_LOCK = """
SELECT query_start FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
"""


async def test_reads_that_wait_for_a_lock_time_out_and_streams_recover(empty_tables_url, monkeypatch):
    monkeypatch.setattr(database, "OWN_LOCK_SECONDS", 0.05)
    monkeypatch.setattr(requests, "LOCKED_SECONDS", 0.1)
    async with open_database(empty_tables_url) as db, open_database(empty_tables_url) as holder:
        manager, seen = BackgroundJobManager(db), asyncio.Queue()
        async with asyncio.timeout(BOUND):
            async with holder.transaction() as tx:
                await tx.execute("LOCK TABLE procrastinate_jobs, tetherpy_job_changes")
                with pytest.raises(DatabaseLockedError):
                    await manager.get_counts()
                subscription = manager.watch_counts().subscribe(seen.put_nowait, seen.put_nowait)
                reads = set()
                while len(reads) < 3:
                    reads.update(row["query_start"] for row in await db.get_all(WAITING_FOR_A_LOCK))
                assert seen.empty()
            assert await seen.get() == JobCounts()
        subscription.dispose()
