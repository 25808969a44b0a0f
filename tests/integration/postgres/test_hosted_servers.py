"""Servers as hosting providers configure them: other settings and encodings, and roles with few privileges."""

import asyncio
import contextlib
import uuid
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.integration.postgres.conftest import BOUND
from tests.support.streams import Seen
from tetherpy.database import (
    DatabaseEncodingError,
    DatabaseLockedError,
    DatabasePrivilegeError,
    DatabaseReadOnlyError,
    DatabaseUnavailableError,
    Migration,
    PostgresDatabase,
    StatementTimeoutError,
)
from tetherpy.database.postgres import pool
from tetherpy.jobs import BackgroundJobManager, JobCounts, WorkerRecord, engine_of, open_database
from tetherpy.service import BackgroundService, WorkerStartError

TIMEOUTS = ("statement_timeout", "transaction_timeout", "idle_in_transaction_session_timeout", "lock_timeout")


@pytest.fixture
def make_hosted(job_server):
    """Return a factory of databases owned by a new role: options, and statements for ``role`` and ``database``."""
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(psycopg.connect(job_server.server.url, autocommit=True))

        def make(*statements, options=""):
            role, database = (f"{kind}_{uuid.uuid4().hex[:12]}" for kind in ("app", "hosted"))
            connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
            stack.callback(connection.execute, f"DROP ROLE {role}")
            connection.execute(f"CREATE DATABASE {database} OWNER {role} {options}")
            stack.callback(connection.execute, f"DROP DATABASE {database} WITH (FORCE)")
            for statement in statements:
                connection.execute(statement.format(role=role, database=database))
            parts = urlsplit(job_server.server.address(database))
            return urlunsplit(parts._replace(netloc=f"{role}:x@{parts.netloc.rpartition('@')[2]}"))

        yield make


def encoding(name):
    return f"ENCODING '{name}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"


async def test_settings_of_the_role_change_no_behaviour(make_hosted):
    url = make_hosted(
        "ALTER ROLE {role} SET DateStyle = 'SQL, DMY'",
        "ALTER ROLE {role} SET TimeZone = 'America/New_York'",
        "ALTER DATABASE {database} SET IntervalStyle = 'iso_8601'",
        "ALTER DATABASE {database} SET client_encoding = 'LATIN1'",
    )
    async with open_database(url) as db:
        manager = BackgroundJobManager(db)
        job = await manager.get_job_by_id(await manager.enqueue("k", {"text": "日本"}, timeout=5))
        assert (job.payload, job.created_at.utcoffset().total_seconds()) == ({"text": "日本"}, 0)
        assert (await db.get("SELECT interval '90 minutes' AS span"))["span"].total_seconds() == 5400


async def test_text_is_stored_correctly_in_a_sql_ascii_database(make_hosted):
    async with open_database(make_hosted(options=encoding("SQL_ASCII"))) as db:
        manager = BackgroundJobManager(db)
        job = await manager.get_job_by_id(await manager.enqueue("ключ", {"text": "日本 😀"}))
        assert (job.job_key, job.payload) == ("ключ", {"text": "日本 😀"})
    async with open_database(db.address) as again:
        assert (await BackgroundJobManager(again).get_counts()).pending == 1


async def test_text_that_the_encoding_cannot_store_is_a_clear_error(make_hosted):
    async with open_database(make_hosted(options=encoding("LATIN1"))) as db:
        manager = BackgroundJobManager(db)
        assert (await manager.get_job_by_id(await manager.enqueue("k", "é"))).payload == "é"
        with pytest.raises(DatabaseEncodingError, match="UTF8"):
            await manager.enqueue("k", "日本")


async def test_calls_wait_for_connections_up_to_the_limit_of_the_role(make_hosted):
    async with open_database(make_hosted("ALTER ROLE {role} CONNECTION LIMIT 3")) as db, asyncio.timeout(BOUND):
        manager = BackgroundJobManager(db)
        counts = Seen(manager.watch_counts())
        await counts.until(lambda seen: seen == JobCounts())
        ids = await asyncio.gather(*(manager.enqueue("k", number) for number in range(40)))
        assert len(set(ids)) == 40
        await counts.until(lambda seen: seen.pending == 40)
        assert len(await asyncio.gather(*(manager.get_job_by_id(job_id) for job_id in ids))) == 40
        counts.subscription.dispose()


async def test_a_worker_keeps_its_connection_where_handlers_take_all_others(make_hosted):
    async with open_database(make_hosted("ALTER ROLE {role} CONNECTION LIMIT 3")) as db, asyncio.timeout(BOUND):
        engine, now, ended, listening = engine_of(db), datetime.now(UTC), asyncio.Event(), asyncio.Event()
        engine.on_change(listening.set)
        await listening.wait()
        await engine.register_worker(WorkerRecord(id="w", pid=1, host="h", started_at=now, heartbeat_at=now))
        inside = asyncio.Semaphore(0)

        async def handle():
            async with db.transaction() as tx:
                await tx.get("SELECT 1")
                inside.release()
                await ended.wait()

        async with asyncio.TaskGroup() as group:
            handlers = [group.create_task(handle()) for _ in range(3)]
            await inside.acquire()
            while db._pool._in_line < 2:  # the others have found the server full
                await asyncio.sleep(0.001)
            for _ in range(3):
                await engine.heartbeat("w")
            assert not any(handler.done() for handler in handlers)
            ended.set()


async def test_a_call_does_not_overtake_one_that_waits_for_a_connection(make_hosted):
    async with PostgresDatabase.open(make_hosted("ALTER ROLE {role} CONNECTION LIMIT 1")) as db, asyncio.timeout(BOUND):
        order = []

        async def use(number):
            async with db.own_connection():
                order.append(number)

        async with asyncio.TaskGroup() as group:
            async with db.own_connection():
                waiting = group.create_task(use(1))
                while not db._own._in_line:
                    await asyncio.sleep(0.001)
            await use(2)
            await waiting
        assert order == [1, 2]


async def test_timeouts_of_the_role_end_no_work_of_the_library(make_hosted, job_server):
    with psycopg.connect(job_server.server.url) as admin:
        known = [row[0] for row in admin.execute("SELECT name FROM pg_settings WHERE name = ANY (%s)", [[*TIMEOUTS]])]
    url = make_hosted(*(f"ALTER ROLE {{role}} SET {name} = '400ms'" for name in known))
    async with open_database(url) as db, asyncio.timeout(BOUND):
        manager = BackgroundJobManager(db)
        assert (await manager.get_job_by_id(await manager.enqueue("k"))).job_key == "k"
        async with db.own_connection() as internal:
            for name in known:
                row = await (await internal.execute(f"SHOW {name}")).fetchone()
                assert row[0] == ("2s" if name == "lock_timeout" else "0"), name
        await db.migrate([Migration(1, "slow", "SELECT pg_sleep(0.5)")])
        async with db.transaction() as tx:
            await tx.migrate([Migration(1, "slow", "SELECT pg_sleep(0.5)", namespace="more")])
            assert [(await tx.get(f"SHOW {name}"))[0] for name in known] == ["400ms"] * len(known)


async def test_a_timeout_of_the_role_that_ends_the_apps_statement_is_one_clear_error(make_hosted):
    url = make_hosted("ALTER ROLE {role} SET statement_timeout = '50ms'", "ALTER ROLE {role} SET lock_timeout = '20ms'")
    async with open_database(url) as db, open_database(url) as other, asyncio.timeout(BOUND):
        with pytest.raises(StatementTimeoutError, match="raise statement_timeout"):
            await db.execute("SELECT pg_sleep(1)")
        async with other.transaction() as tx:
            await tx.execute("LOCK TABLE procrastinate_jobs")
            with pytest.raises(DatabaseLockedError, match="lock_timeout"):
                await BackgroundJobManager(db).enqueue("k")


async def test_an_exhausted_connection_limit_of_the_role_is_an_error_that_explains_it(make_hosted, monkeypatch):
    monkeypatch.setattr(pool, "GET_SECONDS", 0.2)
    url = make_hosted("ALTER ROLE {role} CONNECTION LIMIT 1")
    async with await psycopg.AsyncConnection.connect(url):
        with pytest.raises(DatabaseUnavailableError, match="too many connections"):
            await PostgresDatabase.open(url)


async def test_the_pool_size_is_an_option_of_open(postgres_url, monkeypatch, make_service):
    monkeypatch.setattr(pool, "GET_SECONDS", 0.2)
    async with open_database(postgres_url, pool_size=1) as db, db.transaction():
        with pytest.raises(DatabaseUnavailableError, match="all 1 connections"):
            await db.get("SELECT 1")
    service = make_service(pool_size=1)
    assert await service.job("k") == 1
    assert service._database._pool._size == 1
    with pytest.raises(ValueError, match="pool_size"):
        PostgresDatabase.open(postgres_url, pool_size=0)


async def test_a_role_that_may_not_create_tables_gets_an_error_with_the_missing_privilege(make_hosted):
    url = make_hosted("ALTER DATABASE {database} OWNER TO CURRENT_USER")
    with pytest.raises(DatabasePrivilegeError, match="GRANT"):
        async with open_database(url):
            pass


async def test_every_call_of_a_role_without_table_privileges_is_an_error_that_names_them(make_hosted, job_server):
    url = make_hosted("ALTER DATABASE {database} OWNER TO CURRENT_USER", "GRANT ALL ON DATABASE {database} TO {role}")
    async with open_database(job_server.server.address(urlsplit(url).path[1:])) as owner:
        await owner.execute(f"GRANT SELECT ON tetherpy_migrations TO {urlsplit(url).username}")
    async with open_database(url) as db:
        manager = BackgroundJobManager(db)
        for call in (manager.enqueue("k"), manager.get_counts(), manager.get_all_jobs(), manager.cancel_job(1)):
            with pytest.raises(DatabasePrivilegeError, match="permission denied"):
                await call


async def test_a_read_only_role_can_read_and_its_writes_are_an_error(make_hosted, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    url = make_hosted()
    async with open_database(url) as db:
        await BackgroundJobManager(db).enqueue("k")
        await db.execute("ALTER ROLE CURRENT_USER SET default_transaction_read_only = on")
    async with open_database(url) as db:
        manager = BackgroundJobManager(db)
        assert (await manager.get_counts()).pending == 1
        with pytest.raises(DatabaseReadOnlyError, match="default_transaction_read_only"):
            await manager.enqueue("k")
    service = BackgroundService(url, "postgres_worker:initialize")
    with pytest.raises(WorkerStartError, match="default_transaction_read_only"):
        await service.start()
