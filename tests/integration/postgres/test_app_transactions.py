"""Jobs that are enqueued and completed in a transaction that another library opened on the same server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import sqlalchemy
from sqlalchemy.orm import Session

from tests.support.app_transactions import (
    ALCHEMY,
    INSERT,
    App,
    alchemy,
    alchemy_connection,
    async_alchemy_connection,
    done,
)
from tetherpy.database import (
    DatabaseUnavailableError,
    NotATransactionError,
    OtherDatabaseError,
    PostgresDatabase,
    TransactionUnusableError,
)
from tetherpy.jobs import (
    Ack,
    BackgroundJobManager,
    BackgroundJobStatus,
    Completed,
    NewJob,
    Progress,
    engine_of,
    open_database,
)


@contextlib.asynccontextmanager
async def plain(url: str) -> AsyncIterator[App]:
    with psycopg.connect(url) as connection:
        yield App(connection)


@contextlib.asynccontextmanager
async def plain_raw(url: str) -> AsyncIterator[App]:
    with psycopg.connect(url, cursor_factory=psycopg.RawCursor) as connection:
        yield App(connection)


@contextlib.asynccontextmanager
async def asynchronous_raw(url: str) -> AsyncIterator[App]:
    async with await psycopg.AsyncConnection.connect(url, cursor_factory=psycopg.AsyncRawCursor) as connection:
        yield App(connection)


@contextlib.asynccontextmanager
async def asynchronous(url: str) -> AsyncIterator[App]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        yield App(connection)


LIBRARIES = [plain, asynchronous, *ALCHEMY]


@pytest.fixture
async def db(empty_tables_url: str) -> AsyncIterator[PostgresDatabase]:
    async with PostgresDatabase.open(empty_tables_url) as db:
        await db.execute("CREATE TABLE app_orders (name text NOT NULL)")
        yield db
        await db.execute("DROP TABLE app_orders")


async def orders(db: PostgresDatabase) -> int:
    return (await db.get("SELECT count(*) AS n FROM app_orders"))["n"]


@pytest.mark.parametrize("library", LIBRARIES)
async def test_jobs_exist_and_are_notified_with_the_commit_and_not_without_it(db, library):
    manager, engine = BackgroundJobManager(db), engine_of(db)
    heard = asyncio.Event()
    remove = engine.on_change(heard.set)
    async with asyncio.timeout(25):
        await heard.wait()  # listening has begun
    heard.clear()
    async with library(db.address) as app:
        for end in (app.rollback, app.commit):
            first = await manager.enqueue("mail", {"to": "ada"}, unique_key="ada", transaction=app.transaction)
            same = await manager.enqueue("mail", unique_key="ada", transaction=app.transaction)
            await app.execute(INSERT)
            many = await manager.enqueue_many([NewJob(job_key="bulk")] * 3, transaction=app.transaction)
            assert (same, many) == (first, list(range(many[0], many[0] + 3)))
            assert ((await manager.get_counts()).total, await orders(db)) == (0, 0)
            assert not heard.is_set()
            await end()
        async with asyncio.timeout(4):  # less than the interval of the query for missed changes
            await heard.wait()
    remove()
    assert ((await manager.get_counts()).pending, await orders(db)) == (4, 1)
    assert (await manager.get_job_by_id(first)).payload == {"to": "ada"}


@pytest.mark.parametrize("library", [*LIBRARIES, plain_raw, asynchronous_raw])
async def test_a_handler_completes_its_job_in_the_transaction(db, library):
    manager, engine = BackgroundJobManager(db), engine_of(db)
    job_id = await manager.enqueue("work")
    (claim,) = (await engine.ack_and_fetch("w", [], 1)).claims
    async with library(db.address) as app:
        await engine.acknowledge(Ack(claim, Completed('"sent"')), app.transaction, Progress(claim, 0.5, "half"))
        assert (await manager.get_job_by_id(job_id)).status is BackgroundJobStatus.RUNNING
        await app.commit()
    job = await manager.get_job_by_id(job_id)
    assert (job.status, job.result, job.progress_message) == (BackgroundJobStatus.COMPLETED, "sent", "half")


@pytest.mark.parametrize("library", LIBRARIES)
async def test_a_transaction_that_cannot_be_written_in_is_refused(db, library):
    manager = BackgroundJobManager(db)

    async def refuses(text: str) -> None:
        with pytest.raises(TransactionUnusableError, match=text):
            await manager.enqueue("k", transaction=app.transaction)

    async with library(db.address) as app:
        with contextlib.suppress(Exception):
            await app.execute("SELECT 1 / 0")
        await refuses(r"has failed.*roll it back")
        await app.rollback()
        await app.execute("SET TRANSACTION READ ONLY")
        await refuses(r"read-only.*without READ ONLY")
        await app.rollback()
        await app.execute("SET search_path = pg_catalog")
        await refuses("search_path")
        await app.rollback()
        if "session" not in library.__name__:  # a closed session begins again at its next use
            await done(app.transaction.close())
            await refuses(r"closed.*open")
    assert (await manager.get_counts()).total == 0


@pytest.mark.parametrize("library", LIBRARIES)
async def test_a_transaction_that_lost_its_connection_is_refused_at_each_use(db, library):
    manager = BackgroundJobManager(db)
    async with library(db.address) as app:
        await manager.enqueue("k", transaction=app.transaction)
        await db.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE state LIKE 'idle in tra%'")
        with pytest.raises(DatabaseUnavailableError):
            await manager.enqueue("k", transaction=app.transaction)
        with pytest.raises((DatabaseUnavailableError, TransactionUnusableError)):
            await manager.enqueue("k", transaction=app.transaction)


@pytest.mark.parametrize("library", LIBRARIES)
async def test_the_settings_of_the_session_do_not_matter(db, library):
    manager = BackgroundJobManager(db)
    at = datetime(2030, 1, 1, 12, tzinfo=UTC)
    async with library(db.address) as app:
        await app.execute("SET TimeZone = 'America/New_York'")
        await app.execute("SET DateStyle = 'German'")
        job_id = await manager.enqueue("k", run_at=at, transaction=app.transaction)
        await app.commit()
    job = await manager.get_job_by_id(job_id)
    assert job.run_at == at


async def test_a_connection_that_commits_each_statement_is_refused(db):
    manager = BackgroundJobManager(db)
    with (
        alchemy(db.address, isolation_level="AUTOCOMMIT") as engine,
        Session(engine) as session,
        pytest.raises(TransactionUnusableError, match="commits each statement"),
    ):
        await manager.enqueue("k", transaction=session)
    with psycopg.connect(db.address, autocommit=True) as connection:
        with pytest.raises(TransactionUnusableError, match=r"connection\.transaction\(\)"):
            await manager.enqueue("k", transaction=connection)
        with connection.transaction():
            await manager.enqueue("k", transaction=connection)
    assert (await manager.get_counts()).total == 1


async def test_a_transaction_of_another_database_is_refused(db, tmp_path: Path):
    manager = BackgroundJobManager(db)
    other = sqlalchemy.make_url(db.address).set(database="template1").render_as_string(hide_password=False)
    async with plain(other) as app:
        with pytest.raises(OtherDatabaseError, match="template1"):
            await manager.enqueue("k", transaction=app.transaction)
    with (
        sqlalchemy.create_engine("sqlite://").connect() as connection,
        pytest.raises(OtherDatabaseError, match="sqlite"),
    ):
        await manager.enqueue("k", transaction=connection)
    async with open_database(tmp_path / "file.db") as file:
        async with file.transaction() as transaction:
            with pytest.raises(OtherDatabaseError, match="SQLite file"):
                await manager.enqueue("k", transaction=transaction)
        async with db.transaction() as transaction:
            with pytest.raises(OtherDatabaseError, match=r"file\.db"):
                await BackgroundJobManager(file).enqueue("k", transaction=transaction)
        with psycopg.connect(db.address) as connection, pytest.raises(OtherDatabaseError, match=r"psycopg.*file\.db"):
            await BackgroundJobManager(file).enqueue("k", transaction=connection)
    with pytest.raises(NotATransactionError, match="SQLAlchemy"):
        await manager.enqueue("k", transaction=db)


async def test_a_wait_for_a_lock_does_not_stop_the_loop(db):
    manager = BackgroundJobManager(db)
    with psycopg.connect(db.address) as first, psycopg.connect(db.address) as second:
        held = await manager.enqueue("k", unique_key="u", transaction=first)
        waiting = asyncio.create_task(manager.enqueue("k", unique_key="u", transaction=second))
        while not await db.get_all("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            await asyncio.sleep(0.005)
        first.commit()
        assert await waiting == held


async def test_an_answer_that_never_comes_is_an_unavailable_database(db):
    manager = BackgroundJobManager(db)
    for library in (plain, alchemy_connection, async_alchemy_connection):
        with contextlib.suppress(Exception):
            async with library(db.address) as app:
                await app.execute("SELECT set_config('application_name', 'doomed', false)")
                await db.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'doomed'"
                )
                with pytest.raises(DatabaseUnavailableError):
                    await manager.enqueue("k", transaction=app.transaction)


async def test_a_manager_opens_the_server_it_enqueues_on(empty_tables_url):
    async with BackgroundJobManager.open(empty_tables_url) as manager:
        async with manager.database.transaction() as transaction:
            job_id = await manager.enqueue("k", transaction=transaction)
        assert (await manager.get_job_by_id(job_id)).job_key == "k"
