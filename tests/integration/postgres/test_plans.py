"""Query plans of queries whose cost must not grow with the table."""

import re

import pytest

from tetherpy.jobs import BackgroundJobManager, BackgroundJobStatus, JobQuery, NewJob, PostgresJobEngine, open_database
from tetherpy.jobs.postgres.finding import query_of_view
from tetherpy.jobs.postgres.requests import ask


@pytest.mark.parametrize("narrowed", [{}, {"status": BackgroundJobStatus.PENDING}, {"job_key": "k"}])
async def test_a_page_is_read_from_its_position_in_an_index(empty_tables_url, narrowed):
    async with open_database(empty_tables_url) as db:
        ids = await PostgresJobEngine(db).enqueue([NewJob(job_key="k") for _ in range(3000)])
        await db.execute("ANALYZE procrastinate_jobs, tetherpy_job_records")
        statement, values = query_of_view(JobQuery(**narrowed, before_id=ids[2000], limit=50, order_by_creation="DESC"))
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
