"""Enqueueing inside the app's own transaction: after a rollback the job was never enqueued."""

import asyncio
import contextlib
from random import Random

import psycopg
import pytest

from tetherpy.database import DatabaseUnavailableError, PostgresDatabase, TransactionOverError
from tetherpy.jobs import (
    Ack,
    BackgroundJobManager,
    BackgroundJobStatus,
    Completed,
    JobTablesMissingError,
    NewJob,
    PostgresJobEngine,
    engine_of,
    open_database,
)

WRITERS, ROUNDS = 6, 20


class ChangeOfMindError(Exception):
    pass


async def write(url, db, number):
    """Enqueue in successive transactions, a third of them rolled back; return the committed orders."""
    random, manager, committed = Random(number), BackgroundJobManager(db), []
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as own:
        for round_number in range(ROUNDS):
            order = number * 1000 + round_number
            try:
                transaction = own.transaction() if round_number % 2 else db.transaction()
                async with transaction as tx:
                    connection = own if round_number % 2 else tx
                    jobs = [NewJob(job_key="order", payload=order), NewJob(job_key="order", payload=order)]
                    await manager.enqueue_many(jobs, transaction=connection)
                    await connection.execute(f"INSERT INTO orders VALUES ({order})")
                    await manager.enqueue("once", order, unique_key=f"order {order}", transaction=connection)
                    await asyncio.sleep(random.uniform(0, 0.005))
                    if random.random() < 0.33:
                        raise ChangeOfMindError
            except ChangeOfMindError:
                continue
            committed.append(order)
    return committed


async def work(db, stop):
    """Claim and complete all jobs until stopped; return the payloads."""
    engine, acks, seen = engine_of(db), [], []
    while True:
        ack_and_fetch = await engine.ack_and_fetch("w", acks, 5)
        assert ack_and_fetch.rejected == ()
        acks = [Ack(claim, Completed()) for claim in ack_and_fetch.claims]
        seen += [claim.job.payload for claim in ack_and_fetch.claims]
        if not acks:
            if stop.is_set():
                return seen
            await asyncio.sleep(0.002)


async def test_under_load_exactly_the_jobs_of_committed_transactions_exist(postgres_url):
    async with open_database(postgres_url) as db, open_database(postgres_url) as workers:
        await db.execute("CREATE TABLE orders (id int PRIMARY KEY)")
        stop = asyncio.Event()
        working = asyncio.create_task(work(workers, stop))
        committed = [order for orders in await asyncio.gather(
            *(write(postgres_url, db, number) for number in range(WRITERS))
        ) for order in orders]  # fmt: skip
        stop.set()
        seen = await working
        orders = [row["id"] for row in await db.get_all("SELECT id FROM orders ORDER BY id")]
        counts = await BackgroundJobManager(db).get_counts()
    assert 0 < len(committed) < WRITERS * ROUNDS
    assert orders == sorted(committed)
    assert sorted(seen) == sorted(committed * 3)
    assert (counts.completed, counts.total) == (3 * len(committed), 3 * len(committed))


async def test_a_worker_sees_a_job_only_after_the_commit(postgres_url):
    async with open_database(postgres_url) as db, open_database(postgres_url) as other:
        engine = engine_of(other)
        async with await psycopg.AsyncConnection.connect(postgres_url) as own:
            (job_id,) = await engine_of(db).enqueue([NewJob(job_key="k")], own)
            assert (await engine.ack_and_fetch("w", [], 1)).claims == ()
            await own.commit()
        assert [claim.id for claim in (await engine.ack_and_fetch("w", [], 1)).claims] == [job_id]


async def test_a_connection_without_a_transaction_is_refused(postgres_url):
    async with open_database(postgres_url) as db:
        manager = BackgroundJobManager(db)
        async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as own:
            with pytest.raises(TransactionOverError, match=r"connection\.transaction\(\)"):
                await manager.enqueue("k", transaction=own)
        assert (await manager.get_counts()).total == 0


async def test_a_transaction_that_loses_its_connection_is_an_error_and_enqueues_nothing(postgres_url, cut):
    async with open_database(postgres_url) as db, await psycopg.AsyncConnection.connect(postgres_url) as own:
        manager = BackgroundJobManager(db)
        await manager.enqueue("before")
        with pytest.raises(DatabaseUnavailableError):
            await enqueue_after_the_loss(db, cut)
        await manager.enqueue("k", transaction=own)
        await cut(own)
        with pytest.raises(DatabaseUnavailableError):
            await manager.enqueue("k", transaction=own)
        assert [job.job_key for job in await manager.get_all_jobs()] == ["before"]


async def test_a_connection_lost_at_the_end_of_the_block_is_an_error(postgres_url, cut):
    async def pass_over(db):
        async with db.transaction() as tx:
            await tx.execute("SELECT 1")
            await cut(tx.connection)
            with contextlib.suppress(DatabaseUnavailableError):
                await tx.execute("SELECT 1")

    async with open_database(postgres_url) as db:
        with pytest.raises(DatabaseUnavailableError):
            await pass_over(db)


async def test_an_outcome_lost_with_its_connection_keeps_the_claim_of_the_worker(postgres_url, cut):
    async with open_database(postgres_url) as db:
        job_id = await BackgroundJobManager(db).enqueue("k")
        (claim,) = (await engine_of(db).ack_and_fetch("w", [], 1)).claims
        ack = Ack(claim, Completed())
        with pytest.raises(DatabaseUnavailableError):
            await settle_after_the_loss(db, cut, ack)
        assert (await engine_of(db).ack_and_fetch("w", [ack], 0)).rejected == ()
        assert (await BackgroundJobManager(db).get_job_by_id(job_id)).status == "COMPLETED"


async def enqueue_after_the_loss(db, cut):
    async with db.transaction() as tx:
        await BackgroundJobManager(db).enqueue("k", transaction=tx)
        await cut(tx.connection)
        await BackgroundJobManager(db).enqueue("k", transaction=tx)


async def settle_after_the_loss(db, cut, ack):
    async with db.transaction() as tx:
        await cut(tx.connection)
        await engine_of(db).acknowledge(ack, tx)


@pytest.fixture
def cut(postgres_url):
    """Return a function that makes the server terminate a connection."""

    async def end(connection):
        async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as other:
            await other.execute("SELECT pg_terminate_backend(%s, 25000)", (connection.info.backend_pid,))

    return end


async def test_two_transactions_with_one_unique_key_enqueue_one_job(postgres_url):
    async with open_database(postgres_url) as db:
        manager = BackgroundJobManager(db)

        async def enqueue(rolled_back):
            try:
                async with db.transaction() as tx:
                    job_id = await manager.enqueue("k", unique_key="one", transaction=tx)
                    await asyncio.sleep(0.01)
                    if rolled_back:
                        raise ChangeOfMindError
            except ChangeOfMindError:
                return None
            return job_id

        ids = await asyncio.gather(*(enqueue(number % 3 == 0) for number in range(9)))
        (job,) = await manager.get_all_jobs()
        assert {job_id for job_id in ids if job_id is not None} == {job.id}
        assert job.status is BackgroundJobStatus.PENDING


async def test_a_cancelled_task_releases_transaction_and_connection(postgres_url):
    async with open_database(postgres_url) as db:
        manager = BackgroundJobManager(db)

        async def enqueue_for_ever():
            async with db.transaction() as tx:
                while True:
                    await manager.enqueue("k", transaction=tx)

        for _ in range(25):
            task = asyncio.create_task(enqueue_for_ever())
            await asyncio.sleep(0.005)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
        assert (await manager.get_counts()).total == 0
        row = await db.get(
            "SELECT count(*) FILTER (WHERE state LIKE 'idle in transaction%') AS open, count(*) AS all FROM "
            "pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
        )
        assert row["open"] == 0
        assert row["all"] <= 13


async def test_a_cancellation_during_the_commit_is_raised_after_it(empty_tables_url):
    async with PostgresDatabase.open(empty_tables_url) as db:
        await db.execute("CREATE TABLE notes (n int)")
        try:
            for number in range(60):
                leaving = asyncio.Event()
                writing = asyncio.create_task(write_note(db, number, leaving))
                await leaving.wait()
                for _ in range(number % 6):
                    await asyncio.sleep(0)
                writing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await writing
            assert (await db.get("SELECT count(*) AS n FROM notes"))["n"] == 60
        finally:
            await db.execute("DROP TABLE notes")


async def write_note(db, number, leaving):
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO notes VALUES (?)", (number,))
        leaving.set()


async def test_enqueue_in_a_transaction_without_job_tables_is_an_error_that_explains_it(job_server):
    with job_server.server.database() as url:
        async with PostgresDatabase.open(url) as db:
            manager = BackgroundJobManager(db)
            async with await psycopg.AsyncConnection.connect(url) as own:
                with pytest.raises(JobTablesMissingError):
                    await manager.enqueue("k", transaction=own)
            async with db.transaction():
                with pytest.raises(JobTablesMissingError):
                    await manager.enqueue("k")
            await PostgresJobEngine(db).prepare()
            async with db.transaction() as tx:
                await manager.enqueue("k", transaction=tx)
            assert (await manager.get_counts()).pending == 1
