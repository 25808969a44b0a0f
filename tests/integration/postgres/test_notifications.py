"""Change notifications: no commit waits for another one's notification, and every change is reported."""

import asyncio
import contextlib

import psycopg
import pytest

from tests import postgres_server
from tests.integration.postgres.conftest import BOUND
from tetherpy.database import PostgresDatabase
from tetherpy.database.postgres import listener
from tetherpy.jobs import Ack, Completed, NewJob, PostgresJobEngine, Progress, utc_now
from tetherpy.jobs.postgres.statements import sql

DEFER = """SELECT tetherpy_defer_jobs('[{"job_key": "k", "queue": "q", "priority": 0, "max_attempts": 3}]', now())"""
WITHOUT_STANDBY = f"""{postgres_server.SETTINGS}
wal_level = replica
max_wal_senders = 1
synchronous_standby_names = 'nobody'
synchronous_commit = local
"""
"""Commits of sessions with this setting wait for a standby that does not exist, and hold their locks."""


@pytest.fixture(scope="module")
def lone_server():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres_server, "SETTINGS", WITHOUT_STANDBY)
        server = postgres_server.start_own()
    yield server
    server.close()


@pytest.fixture
async def db(lone_server):
    with lone_server.database() as url:
        async with PostgresDatabase.open(url) as db:
            yield db


@pytest.fixture
async def engine(db):
    engine = PostgresJobEngine(db)
    await engine.prepare()
    return engine


@contextlib.asynccontextmanager
async def connection_to(db):
    async with await psycopg.AsyncConnection.connect(db.address, autocommit=True) as connection:
        yield connection


@contextlib.asynccontextmanager
async def notifying_commit_that_waits(db):
    """Run a transaction of another program that notifies, and whose commit waits until the block ends."""
    async with connection_to(db) as other:
        await other.execute("SET synchronous_commit = on")
        committing = asyncio.create_task(other.execute(DEFER))
        pid = other.info.backend_pid
        while (await db.get("SELECT wait_event FROM pg_stat_activity WHERE pid = ?", (pid,)))[
            "wait_event"
        ] != "SyncRep":
            await asyncio.sleep(0.01)
        yield
        assert not committing.done()
        await db.get("SELECT pg_cancel_backend(?)", (pid,))
        await committing


async def hear(ear, enough):
    """Return the channels of a number of notifications."""
    channels = []
    async with asyncio.timeout(BOUND):
        while not enough(channels):
            channels += [notification.channel async for notification in ear.notifies(stop_after=1)]
    return channels


async def enqueue_in_a_transaction(engine, db):
    async with db.transaction() as tx:
        await engine.enqueue([NewJob(job_key="k")], tx)


async def enqueue_in_a_savepoint(engine, db):
    async with db.transaction(), db.transaction() as inner:
        await engine.enqueue([NewJob(job_key="k")], inner)


async def enqueue_several_ways(engine, _):
    await engine.enqueue([NewJob(job_key="k"), NewJob(job_key="k", unique_key="u")])


async def claim(engine, _):
    await engine.enqueue([NewJob(job_key="k")])
    (claim,) = (await engine.ack_and_fetch("w", [], 1)).claims
    return claim


async def settle(engine, db):
    await engine.ack_and_fetch("w", [Ack(await claim(engine, db), Completed())], 0)


async def settle_in_a_transaction(engine, db):
    claimed = await claim(engine, db)
    async with db.transaction() as tx:
        await engine.acknowledge(Ack(claimed, Completed()), tx, Progress(claimed, 1.0))


async def report_progress(engine, db):
    await engine.report_progress([Progress(await claim(engine, db), 0.5)])


async def enqueue_and_be_cancelled_in_the_commit(engine, db):
    async def enqueue():
        async with db.transaction() as tx:
            await engine.enqueue([NewJob(job_key="k")], tx)
            asyncio.get_running_loop().call_soon(task.cancel)

    task = asyncio.create_task(enqueue())
    with pytest.raises(asyncio.CancelledError):
        await task


WAYS = {
    "enqueue": lambda engine, _: engine.enqueue([NewJob(job_key="k")]),
    "enqueue several": enqueue_several_ways,
    "enqueue in a transaction": enqueue_in_a_transaction,
    "enqueue in a savepoint": enqueue_in_a_savepoint,
    "enqueue and be cancelled in the commit": enqueue_and_be_cancelled_in_the_commit,
    "claim": claim,
    "settle": settle,
    "settle in a transaction": settle_in_a_transaction,
    "report progress": report_progress,
}


@pytest.mark.parametrize("way", WAYS)
async def test_frequent_changes_do_not_wait_for_notifying_commits_and_all_are_reported(engine, db, way):
    async with connection_to(db) as ear:
        await ear.execute("LISTEN tetherpy_jobs")
        async with asyncio.timeout(BOUND), notifying_commit_that_waits(db):
            await WAYS[way](engine, db)
        # One is from the program that waited.
        await hear(ear, lambda channels: len(channels) >= 2)


async def test_channels_announced_together_are_notified_once_each(db):
    async with connection_to(db) as ear:
        await ear.execute("LISTEN one; LISTEN other; LISTEN last")
        for _ in range(50):
            db.announce("one")
            db.announce("other")
        await asyncio.sleep(0)  # the first statement is on its way
        db.announce("last")
        assert sorted(await hear(ear, lambda channels: "last" in channels)) == ["last", "one", "other"]


WAITING_NOTIFICATION = """
SELECT pid, query_start FROM pg_stat_activity
WHERE query LIKE '%pg_notify(channel%' AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()
"""


async def test_a_notification_that_the_server_cancels_is_sent_again(engine, db):
    async with connection_to(db) as ear, asyncio.timeout(BOUND):
        await ear.execute("LISTEN one")
        async with notifying_commit_that_waits(db):
            db.announce("one")
            while (waiting := await db.get_optional(WAITING_NOTIFICATION)) is None:
                await asyncio.sleep(0.01)
            await db.get("SELECT pg_cancel_backend(?)", (waiting["pid"],))
            while await db.get_optional(WAITING_NOTIFICATION) == waiting:
                await asyncio.sleep(0.01)
        assert await hear(ear, lambda channels: channels) == ["one"]


async def test_a_change_whose_process_died_before_its_notification_is_found_soon(engine, db, monkeypatch):
    monkeypatch.setattr(listener, "ASK_SECONDS", 0.1)
    told = asyncio.Event()
    engine.on_change(told.set)
    async with asyncio.timeout(BOUND):
        for _ in range(2):
            await told.wait()
            told.clear()
            async with connection_to(db) as killed:
                await killed.execute("SET tetherpy.notify = 'later'")
                await killed.execute(DEFER)
        await told.wait()


async def test_jobs_without_a_handler_do_not_fail_while_a_worker_registers(engine, db):
    await engine.enqueue([NewJob(job_key="new")])
    await engine.ack_and_fetch("old", [], 1, keys=["old"])
    async with asyncio.timeout(BOUND), connection_to(db) as registering:
        async with registering.transaction():
            now = utc_now()
            values = {
                "id": "w",
                "pid": 1,
                "host": "",
                "started_at": now,
                "heartbeat_at": now,
                "title": "",
                "content": "",
            }
            await registering.execute(sql("register_worker"), {**values, "job_keys": ["new"]})
            failing = asyncio.create_task(engine.fail_unhandled("new", "nobody knows new"))
            while not (await db.get("SELECT count(*) AS n FROM pg_locks WHERE NOT granted"))["n"]:
                await asyncio.sleep(0.01)
        assert await failing == 0
    assert (await engine.counts()).pending == 1


async def test_a_change_committed_just_before_close_is_notified(engine, db):
    async with connection_to(db) as ear:
        await ear.execute("LISTEN tetherpy_jobs")
        async with PostgresDatabase.open(db.address) as closing:
            await PostgresJobEngine(closing).enqueue([NewJob(job_key="k")])
        await hear(ear, bool)


async def test_a_call_without_changes_sends_no_notification(engine, db):
    """Two workers would wake each other without end."""
    async with connection_to(db) as ear:
        await ear.execute("LISTEN tetherpy_jobs; LISTEN last")
        await engine.ack_and_fetch("w", [], 5)
        with pytest.raises(ZeroDivisionError):
            await undo(engine, db)
        db.announce("last")
        assert await hear(ear, bool) == ["last"]


async def undo(engine, db):
    async with db.transaction() as tx:
        await engine.enqueue([NewJob(job_key="k")], tx)
        raise ZeroDivisionError
