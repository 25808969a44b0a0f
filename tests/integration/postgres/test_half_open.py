"""Half-open connections, which transfer nothing although neither side has closed them: simulated by a proxy."""

import asyncio
from datetime import timedelta

import pytest

from tests.integration.postgres.conftest import BOUND
from tests.stalling_proxy import stalling_proxy
from tests.support.streams import Seen
from tetherpy.database import DatabaseUnavailableError, PostgresDatabase
from tetherpy.database.postgres import connection as connecting
from tetherpy.database.postgres import listener, pool
from tetherpy.jobs import BackgroundJobManager, BackgroundJobStatus, open_database
from tetherpy.service import BackgroundService


@pytest.fixture
def proxy(postgres_url):
    with stalling_proxy(postgres_url) as proxy:
        yield proxy


@pytest.fixture
def soon(monkeypatch):
    """Check a silent connection after a moment, so that tests need not wait as long as apps do."""
    monkeypatch.setattr(listener, "ASK_SECONDS", 0.2)
    monkeypatch.setattr(pool, "ASK_IDLE_SECONDS", 0.0)
    monkeypatch.setattr(pool, "PROBE_SECONDS", 0.2)
    monkeypatch.setattr(connecting, "ANSWER_SECONDS", 0.5)


async def test_streams_and_calls_continue_when_all_connections_are_half_open(proxy, postgres_url, soon):
    async with open_database(proxy.url) as db, open_database(postgres_url) as elsewhere, asyncio.timeout(BOUND):
        manager = BackgroundJobManager(db)
        counts = Seen(manager.watch_counts())
        await counts.until(lambda seen: seen.pending == 0)
        assert proxy.stall() >= 2
        await BackgroundJobManager(elsewhere).enqueue("from elsewhere")
        await counts.until(lambda seen: seen.pending == 1)
        proxy.stall()
        await manager.enqueue("over a connection that lay idle")
        await counts.until(lambda seen: seen.pending == 2)
        counts.subscription.dispose()
        assert counts.ends == []


async def test_a_call_over_a_connection_that_becomes_half_open_is_an_error(proxy, postgres_url, soon):
    async with PostgresDatabase.open(proxy.url) as db, PostgresDatabase.open(postgres_url) as holder:
        await holder.execute("CREATE TABLE notes (id int)")
        async with asyncio.timeout(BOUND):
            async with holder.transaction() as tx:
                await tx.execute("LOCK TABLE notes")
                waiting = asyncio.create_task(db.execute("INSERT INTO notes VALUES (1)"))
                while not await blocked(holder):
                    await asyncio.sleep(0.01)
                proxy.stall()
            with pytest.raises(DatabaseUnavailableError):
                await waiting


@pytest.mark.parametrize("step", ["statement", "commit", "rollback"])
async def test_each_step_of_a_transaction_over_a_half_open_connection_has_a_timeout(proxy, soon, step):
    async with PostgresDatabase.open(proxy.url) as db, asyncio.timeout(BOUND):
        wanted = ZeroDivisionError if step == "rollback" else DatabaseUnavailableError
        with pytest.raises(wanted):
            await stalled_at(step, db, proxy)
        assert (await db.get("SELECT 1 AS one"))["one"] == 1


async def test_a_long_statement_is_awaited(proxy, soon):
    async with PostgresDatabase.open(proxy.url) as db, asyncio.timeout(BOUND):
        assert (await db.get("SELECT 1 AS one FROM pg_sleep(2)"))["one"] == 1


async def test_new_connections_to_a_silent_server_time_out_and_recover(proxy, soon, monkeypatch):
    monkeypatch.setattr(pool, "RECONNECT_SECONDS", 0.2)
    async with PostgresDatabase.open(f"{proxy.url}?connect_timeout=1") as db, asyncio.timeout(BOUND):
        await db.get("SELECT 1")
        proxy.stall(mute=True)
        with pytest.raises(DatabaseUnavailableError):
            await db.get("SELECT 1")
        proxy.speak()
        assert (await db.get("SELECT 1 AS one"))["one"] == 1


async def test_workers_claim_jobs_again_after_half_open_connections(proxy, postgres_url, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    service = BackgroundService(proxy.url, "postgres_worker:initialize", detached=False, lease=timedelta(seconds=3))
    async with open_database(postgres_url) as db:
        await db.execute("CREATE TABLE effects (job_id bigint NOT NULL, worker integer NOT NULL)")
        manager = BackgroundJobManager(db)
        async with service:
            await manager.wait_for(await manager.enqueue("exactly_once"), BOUND)
            proxy.stall()
            job = await manager.wait_for(await manager.enqueue("exactly_once"), BOUND)
            assert job.status is BackgroundJobStatus.COMPLETED
            await service.stop()


async def stalled_at(step, db, proxy):
    async with db.transaction() as tx:
        await tx.execute("SELECT 1")
        proxy.stall()
        if step == "statement":
            await tx.execute("SELECT 1")
        if step == "rollback":
            raise ZeroDivisionError


async def test_a_cancelled_call_over_a_half_open_connection_ends_soon(proxy, soon, monkeypatch):
    monkeypatch.setattr(connecting, "CANCEL_SECONDS", 0.1)
    monkeypatch.setattr(pool, "ASK_IDLE_SECONDS", 3600.0)
    monkeypatch.setattr(pool, "PROBE_SECONDS", 3600.0)
    async with PostgresDatabase.open(proxy.url) as db, asyncio.timeout(BOUND):
        async with db._pool.connection() as connection:
            pass
        proxy.stall()
        waiting = asyncio.create_task(db.execute("SELECT 1"))
        while connection.unanswered_since is None:
            await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert connection.closed


async def blocked(db):
    row = await db.get("SELECT count(*) AS n FROM pg_locks WHERE NOT granted")
    return row["n"]
