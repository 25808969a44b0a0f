"""The schema changes while apps and workers run: no call is blocked by it, and old code stops."""

import asyncio
import contextlib
from datetime import timedelta

import pytest

from tests.integration.postgres.conftest import BOUND
from tetherpy.database import DatabaseLockedError, Migration, PostgresDatabase, SchemaNewerError
from tetherpy.database.postgres import migrations
from tetherpy.jobs import BackgroundJobManager, NewJob, PostgresJobEngine, open_database
from tetherpy.jobs.postgres import schema

WIDER = Migration(1, "a column more", "ALTER TABLE tetherpy_job_records ADD COLUMN extra int", namespace="app")


@contextlib.asynccontextmanager
async def held_job(url):
    """Hold a lock on the job tables, like a handler's transaction."""
    async with open_database(url) as db, db.transaction() as tx:
        await BackgroundJobManager(db).enqueue("held", transaction=tx)
        yield


async def test_calls_continue_while_a_migration_waits_for_the_transaction_of_a_handler(postgres_url, monkeypatch):
    monkeypatch.setattr(migrations, "LOCK_SECONDS", 0.1)
    async with open_database(postgres_url) as db, asyncio.timeout(BOUND):
        async with held_job(postgres_url):
            migrating_task = asyncio.create_task(db.migrate([WIDER]))
            for _ in range(3):
                while not await is_blocked(db):
                    await asyncio.sleep(0.01)
                await BackgroundJobManager(db).enqueue("meanwhile")
            assert not migrating_task.done()
        await migrating_task
        await db.get_all("SELECT extra FROM tetherpy_job_records")
        assert (await db.get("SELECT current_setting('lock_timeout') AS t"))["t"] == "0"


async def migrate_in_a_transaction(db, _):
    async with db.transaction() as tx:
        await tx.migrate([WIDER])


async def prepare_newer_tables(db, monkeypatch):
    later = Migration(99, "later", WIDER.sql, namespace=schema.JOBS)
    monkeypatch.setattr(schema, "POSTGRES_JOB_MIGRATIONS", (*schema.POSTGRES_JOB_MIGRATIONS, later))
    await PostgresJobEngine(db).prepare()


WAYS = {
    "of the database": lambda db, _: db.migrate([WIDER]),
    "of a transaction": migrate_in_a_transaction,
    "of the job tables": prepare_newer_tables,
}


@pytest.mark.parametrize("call", WAYS)
async def test_a_lock_that_is_never_released_is_an_error_that_explains_it(postgres_url, monkeypatch, call):
    monkeypatch.setattr(migrations, "LOCK_SECONDS", 0.05)
    monkeypatch.setattr(migrations, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(migrations, "SCHEMA_TIMEOUT_SECONDS", 0.1)
    async with PostgresDatabase.open(postgres_url) as db, held_job(postgres_url), asyncio.timeout(BOUND):
        with pytest.raises(DatabaseLockedError):
            await WAYS[call](db, monkeypatch)
        assert (await db.get("SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory'"))["n"] == 0


async def is_blocked(db):
    row = await db.get("SELECT count(*) AS n FROM pg_locks WHERE NOT granted")
    return row["n"]


async def newer_code_changes_the_tables(db, *statements):
    async with db.transaction() as tx:
        for statement in statements:
            await tx.execute(statement)
        await tx.execute(
            "INSERT INTO tetherpy_migrations (namespace, version, name, checksum) "
            "VALUES ('tetherpy.jobs', 99, 'later', '')"
        )


DROP = "DROP FUNCTION tetherpy_ack_and_fetch"


async def test_an_error_caused_by_newer_tables_explains_it(postgres_url):
    async with PostgresDatabase.open(postgres_url) as db:
        engine = PostgresJobEngine(db)
        await engine.prepare()
        await newer_code_changes_the_tables(
            db, DROP, "DROP FUNCTION tetherpy_store_jobs", "DROP VIEW background_service_jobs CASCADE"
        )
        with pytest.raises(SchemaNewerError):
            await engine.ack_and_fetch("w", [], 1)
        with pytest.raises(SchemaNewerError):
            await engine.enqueue([NewJob(job_key="k")])
        with pytest.raises(SchemaNewerError):
            await engine.get(1)


@pytest.mark.parametrize("changes", [(), (DROP,)], ids=["it still can work", "it cannot work"])
async def test_workers_of_old_code_exit_when_newer_code_has_changed_the_tables(
    db, manager, make_service, tmp_path, changes
):
    service = make_service(lease=timedelta(seconds=1))
    await service.start()
    await manager.wait_for(await manager.enqueue("exactly_once"), BOUND)
    (worker,) = await manager.get_workers()
    await newer_code_changes_the_tables(db, *changes)
    job_id = await manager.enqueue("exactly_once")
    log = next(tmp_path.rglob("worker.log"))
    async with asyncio.timeout(BOUND):
        while "newer code" not in log.read_text():
            await asyncio.sleep(0.05)
        while worker.id in {there.id for there in await manager.get_workers()} and not changes:
            await asyncio.sleep(0.05)
    await service.stop(1)
    assert "could not be stored; trying again" not in log.read_text()
    job = await manager.get_job_by_id(job_id)
    assert job.claimed_by is None
