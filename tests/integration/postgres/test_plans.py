"""Query plans of queries whose cost must not grow with the table."""

import re

import pytest

from tetherpy.jobs import BackgroundJobManager, BackgroundJobStatus, JobQuery, NewJob, PostgresJobEngine, open_database
from tetherpy.jobs.postgres.calls.requests import ask
from tetherpy.jobs.postgres.finding import query_of_view


@pytest.mark.parametrize("narrowed", [{}, {"status": BackgroundJobStatus.PENDING}, {"job_key": "k"}])
async def test_a_page_is_read_from_its_position_in_an_index(empty_tables_url, narrowed):
    async with open_database(empty_tables_url) as db:
        ids = await PostgresJobEngine(db).enqueue([NewJob(job_key="k") for _ in range(3000)])
        await db.execute("ANALYZE procrastinate_jobs, tetherpy_job_records")
        statement, values = query_of_view(JobQuery(**narrowed, cursor=ids[2000], limit=50))
        plan = "\n".join(row[0] for row in await ask(db, b"EXPLAIN " + statement, values))
    assert re.search(r"Index Cond: .*\bid < ", plan), plan
    assert not re.search(r"Seq Scan|Sort  ", plan), plan


async def test_counts_of_jobs_that_transactions_enqueue_are_summed_without_a_worker(empty_tables_url):
    async with open_database(empty_tables_url) as db:
        manager = BackgroundJobManager(db)
        for _ in range(3):
            async with db.transaction() as transaction:
                for _ in range(200):
                    await manager.enqueue("k", transaction=transaction)
        rows = (await db.get("SELECT count(*) FROM tetherpy_job_changes"))[0]
        assert (await manager.get_counts()).pending == 600
    assert rows <= 300


JOBS = 2000
VARIED = {
    "priorities": lambda n: NewJob(job_key="k", priority=n),
    "queues": lambda n: NewJob(job_key="k", queue=f"q{n}"),
    "delayed priorities": lambda n: NewJob(job_key="k", priority=n, delay=3600),
    "priorities without a handler": lambda n: NewJob(job_key="other", priority=n),
}

READ_SO_FAR = """
SELECT seq_scan + idx_scan AS looks, seq_tup_read + idx_tup_fetch AS rows
FROM pg_stat_xact_user_tables WHERE relname = 'procrastinate_jobs'
"""


async def rows_read_by_a_claim(engine, make):
    """Return how often a claim of ten jobs looks into the table of jobs, and the rows that it reads there."""
    await engine.enqueue(make(n) for n in range(JOBS))
    await engine.enqueue([NewJob(job_key="k", priority=-1) for _ in range(10)])
    await engine.db.execute("ANALYZE procrastinate_jobs, tetherpy_job_records")
    await engine.ack_and_fetch("w", [], 1, keys=["k"])  # sets jobs without a handler aside
    async with engine.db.transaction() as tx:
        # The counters of a session include earlier statements that it has not reported yet.
        before = await tx.get(READ_SO_FAR)
        await tx.execute(
            "SELECT tetherpy_ack_and_fetch('w', NULL, NULL, NULL, 10, NULL, ARRAY['k'], now(), now() + interval '1 h')"
        )
        after = await tx.get(READ_SO_FAR)
    return after["looks"] - before["looks"], after["rows"] - before["rows"]


@pytest.mark.parametrize("varied", VARIED)
async def test_a_claim_reads_no_more_rows_for_many_priorities_or_queues(empty_tables_url, varied):
    make = VARIED[varied]
    async with open_database(empty_tables_url) as db:
        engine = PostgresJobEngine(db)
        same = await rows_read_by_a_claim(engine, lambda _: make(1))
        await db.execute("DELETE FROM procrastinate_jobs")
        looks, rows = await rows_read_by_a_claim(engine, make)
    assert looks <= same[0] + 5
    assert rows <= same[1] + 50 < 200


CLAIM_FROM_QUEUES = """
SELECT claim FROM tetherpy_ack_and_fetch('w', NULL, NULL, NULL, 10, $1, ARRAY['k'], now(), now() + interval '1 h')
WHERE claim IS NOT NULL
"""


async def test_a_claim_from_many_queues_locks_only_the_jobs_that_it_takes(empty_tables_url):
    queues = [f"q{n}" for n in range(200)]
    async with open_database(empty_tables_url) as db, open_database(empty_tables_url) as other:
        engine = PostgresJobEngine(db)
        await engine.enqueue(NewJob(job_key="k", queue=queue) for queue in [*queues[:30], *queues[:5] * 10])
        async with other.transaction() as transaction:
            first = await transaction.get_all(CLAIM_FROM_QUEUES, [queues])
            fetched = await engine.ack_and_fetch("w2", [], 70, queues, ["k"])
    assert (len(first), len(fetched.claims)) == (10, 70)
