"""Commits of programs that do not use tetherpy are noticed without the safety interval."""

import asyncio
import contextlib
import sqlite3
import sys

import pytest

from tetherpy.database import Database
from tetherpy.database.sqlite.changes.log_rechecks import LogRechecks
from tetherpy.jobs import JOB_MIGRATIONS, BackgroundJobManager

linux = pytest.mark.skipif(sys.platform != "linux", reason="the log is watched with Linux's inotify")
INSERT = "INSERT INTO orders VALUES ('tea')"


@pytest.fixture
async def db(tmp_path):
    async with Database.open(tmp_path / "shop.db", migrations=JOB_MIGRATIONS, safety_interval=None) as db:
        await db.execute("CREATE TABLE orders (name TEXT NOT NULL)")
        yield db


@pytest.fixture
async def reports(db):
    """The reports of changed tables, in a queue that is empty at first."""
    reports = asyncio.Queue()
    remove = db.on_change(reports.put_nowait)
    await db.execute(INSERT)
    await next_report(reports)
    yield reports
    remove()


async def next_report(reports):
    async with asyncio.timeout(25):
        return await reports.get()


@linux
@pytest.mark.parametrize("synchronous", ["NORMAL", "FULL"])
async def test_a_commit_of_plain_sqlite3_is_reported(db, reports, synchronous):
    with contextlib.closing(sqlite3.connect(db.path)) as connection:
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        for _ in range(3):
            connection.execute(INSERT)
            connection.commit()
            assert "orders" in await next_report(reports)


@linux
async def test_a_job_in_the_apps_transaction_reports_the_other_tables_of_the_transaction(db, reports):
    manager = BackgroundJobManager(db)
    with contextlib.closing(sqlite3.connect(db.path)) as connection:
        connection.execute(INSERT)
        job_id = await manager.enqueue("mail", transaction=connection)
        connection.rollback()
        await db.execute("CREATE TABLE notes (text TEXT)")
        while "sqlite_master" not in (tables := await next_report(reports)):
            pass
        assert "background_service_jobs" not in tables, "the transaction was rolled back"
        connection.execute(INSERT)
        assert await manager.enqueue("mail", transaction=connection) == job_id
        waiting = asyncio.create_task(anext(aiter(manager.watch_job(job_id))))
        connection.commit()
        assert {"orders", "background_service_jobs"} <= await next_report(reports)
        async with asyncio.timeout(25):
            assert (await waiting) is None or (await waiting).id == job_id


async def test_writes_that_never_pause_do_not_postpone_the_recheck():
    woken = asyncio.Event()
    rechecks = LogRechecks(asyncio.get_running_loop(), woken.set)
    async with asyncio.timeout(25):
        while not woken.is_set():
            rechecks.written()
            await asyncio.sleep(0)
    rechecks.cancel()
