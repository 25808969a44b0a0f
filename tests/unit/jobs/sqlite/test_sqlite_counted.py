"""Costs measured in statements, commits and SQLite steps, which do not depend on the machine."""

import asyncio
import re
from datetime import timedelta

import pytest

from tests.support.sqlite_steps import steps_of
from tetherpy.database import Database
from tetherpy.jobs import (
    Ack,
    BackgroundJobManager,
    BackgroundJobStatus,
    Completed,
    JobQuery,
    JobTablesMissingError,
    NewJob,
    SqliteJobEngine,
)
from tetherpy.jobs.sqlite import finding
from tetherpy.jobs.sqlite.claiming import Offer, ack_and_fetch, idle_ack_and_fetch
from tetherpy.jobs.storage.row_decoding import JobReader
from tetherpy.jobs.storage.timestamps import utc_now

pytestmark = pytest.mark.slow

LEASE = timedelta(seconds=30)
ALL = Offer.of(None, None)


class Trace:
    """The statements that the writing connection executed.

    SQLite reports a trigger's steps under the text of the statement that fired it: repeats are left out.
    """

    def __init__(self, db):
        self.db, self.statements = db, []

    def take(self, statement):
        if self.statements[-1:] != [statement]:
            self.statements.append(statement)

    async def __aenter__(self):
        await self.db.run(lambda connection: connection.set_trace_callback(self.take))
        self.statements.clear()
        return self

    async def __aexit__(self, *_):
        await self.db.run(lambda connection: connection.set_trace_callback(None))

    def count(self, word):
        texts = (re.sub(r"^(--.*\n)+", "", statement) for statement in self.statements)
        return sum(text.startswith(word) for text in texts)


@pytest.mark.parametrize("logs", [None, "a line"])
async def test_a_batch_is_one_commit_and_two_statements_per_job(db, engine, logs):
    await engine.enqueue([NewJob(job_key="k") for _ in range(40)])
    claims = (await engine.ack_and_fetch("w1", [], 20)).claims
    async with Trace(db) as trace:
        answer = await engine.ack_and_fetch("w1", [Ack(claim, Completed("1"), logs) for claim in claims], 20)
    assert len(answer.claims) == 20
    assert trace.count("COMMIT") == 1
    assert trace.count("UPDATE background_service_jobs\n") == 20 + 1
    assert trace.count("INSERT INTO background_service_job_attempts") == 20
    assert trace.count("SELECT") + trace.count("WITH") == 3  # next due time, keys without a handler, next jobs


async def test_bulk_and_concurrent_enqueues_share_one_commit(db, engine):
    async with Trace(db) as trace:
        ids = await engine.enqueue([NewJob(job_key=str(n)) for n in range(250)])
    assert trace.count("COMMIT") == 1
    assert trace.count("INSERT INTO background_service_jobs ") <= 2 + 50
    stored = await engine.get_many(ids)
    assert [stored[job_id].job_key for job_id in ids] == [str(n) for n in range(250)]
    async with Trace(db) as trace:
        await asyncio.gather(*(engine.enqueue([NewJob(job_key="k")]) for _ in range(200)))
    assert trace.count("COMMIT") <= 3


async def test_an_idle_worker_takes_no_write_lock(db, engine):
    await engine.enqueue([NewJob(job_key="k", delay=100)])
    async with Trace(db) as trace:
        for _ in range(5):
            await engine.ack_and_fetch("w1", [], 10)
        await engine.ack_and_fetch("w1", [], 0)
        assert await engine.rescue_expired() == []
        mine = [text for text in trace.statements if text.startswith("BEGIN IMMEDIATE")]
    assert mine == []


def claim_ten(connection):
    assert len(ack_and_fetch(connection, "w1", [], 10, ALL, utc_now(), LEASE).claims) == 10


async def add_finished(db, count):
    await db.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        "INSERT INTO background_service_jobs (job_key, status, created_at, updated_at, finished_at)"
        " SELECT 'k', 'COMPLETED', '2020-01-01T00:00:00.000000Z', '2020-01-01T00:00:00.000000Z',"
        " '2020-01-01T00:00:00.000000Z' FROM n",
        (count,),
    )


CROWDS = {
    "finished": lambda db, engine: add_finished(db, 3_000),
    "delayed, of higher priority": lambda db, engine: engine.enqueue(
        [NewJob(job_key="k", priority=9, delay=3600) for _ in range(3_000)]
    ),
    "pending behind": lambda db, engine: engine.enqueue([NewJob(job_key="k") for _ in range(3_000)]),
    "pending behind, a queue for each four": lambda db, engine: engine.enqueue(
        [NewJob(job_key="k", queue=f"tenant {n % 750}") for n in range(3_000)]
    ),
    "delayed, each of another priority": lambda db, engine: engine.enqueue(
        [NewJob(job_key="k", priority=n, delay=3600) for n in range(3_000)]
    ),
}


@pytest.mark.parametrize("crowd", CROWDS)
async def test_the_cost_of_a_claim_does_not_grow_with_the_queue(db, engine, crowd):
    await engine.enqueue([NewJob(job_key="k", priority=1) for _ in range(10)])
    alone = await steps_of(db, claim_ten)
    await CROWDS[crowd](db, engine)
    assert await steps_of(db, claim_ten) <= alone * 1.1


async def test_jobs_in_other_queues_do_not_add_to_the_cost_of_a_claim(db, engine):
    await engine.enqueue([NewJob(job_key="k", queue="mine") for _ in range(10)])

    def claim_mine(connection):
        assert len(ack_and_fetch(connection, "w1", [], 10, Offer.of(["mine"], None), utc_now(), LEASE).claims) == 10

    alone = await steps_of(db, claim_mine)
    await engine.enqueue([NewJob(job_key="k", priority=9, queue="other") for _ in range(3_000)])
    assert await steps_of(db, claim_mine) <= alone * 1.1


async def test_jobs_without_a_handler_in_this_worker_are_scanned_once(db, engine):
    await engine.enqueue([NewJob(job_key="known", priority=1) for _ in range(10)])
    offer = Offer.of(None, ["known"])

    def claim_known(connection):
        assert len(ack_and_fetch(connection, "w1", [], 10, offer, utc_now(), LEASE).claims) == 10

    alone = await steps_of(db, claim_known)
    await engine.enqueue([NewJob(job_key="other", priority=9) for _ in range(15_000)])
    while (await engine.ack_and_fetch("w1", [], 1, keys=["none"])).next_due is not None:
        pass
    await db.execute("UPDATE background_service_jobs SET unhandled = 0 WHERE job_key = 'known'")
    assert await steps_of(db, claim_known) <= alone * 1.1 + 60  # two steps in the key index
    assert await engine.unhandled() == {"other": 10_000}


@pytest.mark.parametrize("queues", [None, ["default"]])
async def test_jobs_that_were_set_aside_do_not_add_to_the_cost_of_a_claim(db, engine, queues):
    def claim_ten_set_aside(connection):
        offer = Offer.of(queues, ["k"])
        assert len(ack_and_fetch(connection, "w1", [], 10, offer, utc_now(), LEASE).claims) == 10

    await engine.enqueue([NewJob(job_key="k") for _ in range(20)])
    await engine.ack_and_fetch("w1", [], 1, keys=["none"])
    few = await steps_of(db, claim_ten_set_aside)
    await engine.enqueue([NewJob(job_key="k") for _ in range(3_000)])
    await engine.ack_and_fetch("w1", [], 1, keys=["none"])
    assert await steps_of(db, claim_ten_set_aside) <= few * 1.1


async def test_polling_and_counting_do_not_grow_with_the_table(db, engine):
    def look(connection):
        idle_ack_and_fetch(connection, utc_now(), ALL)
        finding.counts(connection)
        finding.revisions(connection)

    alone = await steps_of(db, look)
    await add_finished(db, 3_000)
    await engine.enqueue([NewJob(job_key="k", delay=3600) for _ in range(3_000)])
    assert await steps_of(db, look) <= alone * 1.1 + 40  # one more row in the table of counts


async def test_jobs_due_at_the_same_time_are_promoted_in_batches(db, engine):
    await engine.enqueue([NewJob(job_key="k", delay=3600) for _ in range(10_050)])
    await db.execute("UPDATE background_service_jobs SET run_at = '2020-01-01T00:00:00.000000Z'")
    await engine.ack_and_fetch("w1", [], 1)
    assert (await db.get("SELECT count(*) AS n FROM background_service_jobs WHERE due = 0"))["n"] == 50
    await engine.ack_and_fetch("w1", [], 1)
    assert (await db.get("SELECT count(*) AS n FROM background_service_jobs WHERE due = 0"))["n"] == 0


async def test_counts_include_the_writes_of_other_programs(db, engine):
    await add_finished(db, 7)
    await db.execute("UPDATE background_service_jobs SET status = 'FAILED' WHERE id <= 3")
    await db.execute("DELETE FROM background_service_jobs WHERE id = 1")
    counts = await engine.counts()
    assert (counts.completed, counts.failed, counts.total) == (4, 2, 6)


async def test_a_heartbeat_updates_no_live_query(db, engine):
    await engine.enqueue([NewJob(job_key="k")])
    await engine.ack_and_fetch("w1", [], 1)
    before = await engine.revisions()
    await engine.heartbeat("w1")
    assert await engine.revisions() == before


async def test_the_first_use_creates_the_tables_even_in_a_transaction(tmp_path):
    async with Database.open(tmp_path / "new.db") as db:
        manager = BackgroundJobManager(db)

        async def enqueue_in_transaction():
            async with db.transaction() as transaction:
                await manager.enqueue("k", transaction=transaction)
                return await manager.enqueue("k", transaction=transaction)

        async def enqueue_and_undo():
            async with db.transaction() as transaction:
                await manager.enqueue("k", transaction=transaction)
                # Which could be read only once the transaction is over.
                with pytest.raises(JobTablesMissingError):
                    await manager.get_all_jobs()
                raise LookupError

        with pytest.raises(LookupError):
            await enqueue_and_undo()
        assert await enqueue_in_transaction() == 2
        assert [job.id for job in await manager.get_all_jobs()] == [2, 1]
        assert isinstance(manager.engine, SqliteJobEngine)


@pytest.mark.parametrize("narrowed", [{}, {"status": BackgroundJobStatus.PENDING}, {"job_key": "k"}])
async def test_the_cost_of_a_page_does_not_depend_on_its_position(db, engine, narrowed):
    ids = await engine.enqueue([NewJob(job_key="k") for _ in range(3_000)])

    def page(before):
        query = JobQuery(**narrowed, cursor=before, limit=50)
        return lambda connection: finding.find(connection, JobReader(), query)

    assert await steps_of(db, page(ids[100])) <= await steps_of(db, page(None)) * 1.1


@pytest.mark.parametrize("status", [BackgroundJobStatus.FAILED, BackgroundJobStatus.PENDING])
async def test_a_list_by_key_and_status_reads_only_the_rows_it_shows(db, engine, status):
    await engine.enqueue([NewJob(job_key="other") for _ in range(10)])

    def page(connection):
        query = JobQuery(job_key="k", status=status, limit=50)
        assert finding.find(connection, JobReader(), query) == []

    alone = await steps_of(db, page)
    await add_finished(db, 3_000)
    assert await steps_of(db, page) <= alone * 1.1 + 20
