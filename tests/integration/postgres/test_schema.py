"""The job tables: created once by concurrent processes, and refused if they belong to other programs or newer code."""

import asyncio

import procrastinate
import psycopg
import pytest

from tetherpy.database import Migration, PostgresDatabase, SchemaNewerError
from tetherpy.jobs import (
    ForeignQueueError,
    NewJob,
    PostgresJobEngine,
    SchemaMissingError,
    open_engine,
)


@pytest.fixture
def empty_url(job_server):
    with job_server.server.database() as url:
        yield url


async def test_concurrent_processes_create_the_tables_once(empty_url):
    async def use(number):
        async with open_engine(empty_url) as engine:
            return await engine.enqueue([NewJob(job_key=str(number))])

    ids = await asyncio.gather(*(use(number) for number in range(8)))
    assert sorted(job_id for (job_id,) in ids) == list(range(1, 9))


async def test_a_separate_schema_keeps_the_tables_of_the_app_unchanged(empty_url):
    async with PostgresDatabase.open(empty_url) as db:
        await db.execute('CREATE SCHEMA "te""ther; DROP"')
    named = f"{empty_url}&options=-csearch_path%3D%22te%22%22ther%3B%5C%20DROP%22,public"
    async with open_engine(named) as engine:
        assert await engine.enqueue([NewJob(job_key="k")]) == [1]
    async with PostgresDatabase.open(empty_url) as db:
        row = await db.get("SELECT to_regclass('public.procrastinate_jobs') AS t")
        assert row["t"] is None


async def test_the_queue_of_another_program_is_refused(empty_url):
    connector = procrastinate.PsycopgConnector(conninfo=empty_url)
    app = procrastinate.App(connector=connector)
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
    async with PostgresDatabase.open(empty_url) as db:
        with pytest.raises(ForeignQueueError, match="search_path"):
            await PostgresJobEngine(db).prepare()


async def test_a_missing_schema_is_a_clear_error(empty_url):
    async with PostgresDatabase.open(f"{empty_url}&options=-csearch_path%3Dnowhere") as db:
        with pytest.raises(SchemaMissingError, match="CREATE SCHEMA"):
            await PostgresJobEngine(db).prepare()


@pytest.mark.parametrize("namespace", ["procrastinate", "tetherpy.jobs"])
async def test_a_schema_of_newer_code_is_not_changed(empty_url, namespace):
    async with open_engine(empty_url) as engine:
        await engine.prepare()
    async with PostgresDatabase.open(empty_url) as db:
        await db.execute(
            "INSERT INTO tetherpy_migrations (namespace, version, name, checksum) VALUES (?, ?, 'later', '')",
            (namespace, 99_000_000),
        )
        with pytest.raises(SchemaNewerError, match="newer code"):
            await PostgresJobEngine(db).prepare()


async def test_migrations_of_the_app_are_applied_once_and_verified(empty_url):
    step = Migration(1, "rows", "CREATE TABLE rows (id int); INSERT INTO rows VALUES (1)")
    await asyncio.gather(*(opened(empty_url, step) for _ in range(5)))
    async with PostgresDatabase.open(empty_url, migrations=[step]) as db:
        assert [tuple(row) for row in await db.get_all("SELECT * FROM rows")] == [(1,)]


async def opened(url, step):
    async with PostgresDatabase.open(url, migrations=[step]):
        pass


async def test_a_program_without_this_library_can_insert_and_read_jobs_with_sql(postgres_url):
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as plain:
        jobs = '[{"job_key": "k", "queue": "default", "priority": 3, "max_attempts": 1, "payload": "{\\"n\\":1}"}]'
        cursor = await plain.execute("SELECT tetherpy_defer_jobs(%s, now())", (jobs,))
        assert await cursor.fetchall() == [(1,)]
        async with open_engine(postgres_url) as engine:
            (claim,) = (await engine.ack_and_fetch("w", [], 1)).claims
        assert (claim.job.payload, claim.job.priority) == ({"n": 1}, 3)
        cursor = await plain.execute("SELECT job_key, status, attempts FROM background_service_jobs")
        assert await cursor.fetchall() == [("k", "RUNNING", 1)]


async def test_a_job_that_only_procrastinate_knows_is_not_changed(postgres_url):
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as plain:
        await plain.execute("INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('default', 'theirs')")
    async with open_engine(postgres_url) as engine:
        ours = await engine.enqueue([NewJob(job_key="ours")])
        assert [claim.id for claim in (await engine.ack_and_fetch("w", [], 5)).claims] == ours
