"""Jobs that are enqueued and completed in a transaction that another library opened on the same file."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import aiosqlite
import pytest
import sqlalchemy
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from tests.support.app_transactions import ALCHEMY, INSERT, App, alchemy, alchemy_connection, async_alchemy
from tetherpy.database import (
    Database,
    DatabaseLockedError,
    NotATransactionError,
    OtherDatabaseError,
    TransactionUnusableError,
)
from tetherpy.jobs import (
    JOB_MIGRATIONS,
    Ack,
    BackgroundJobManager,
    BackgroundJobStatus,
    ClaimLostError,
    Completed,
    NewJob,
    Progress,
    engine_of,
)


@contextlib.asynccontextmanager
async def plain(path: Path) -> AsyncIterator[App]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        yield App(connection)


@contextlib.asynccontextmanager
async def dicts_in_a_transaction_begun_by_hand(path: Path) -> AsyncIterator[App]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.row_factory = lambda cursor, row: {
            column[0]: value for column, value in zip(cursor.description, row, strict=True)
        }
        connection.text_factory = bytes
        connection.execute("BEGIN")
        yield App(connection)


@contextlib.asynccontextmanager
async def on_a_thread(path: Path) -> AsyncIterator[App]:
    async with aiosqlite.connect(path) as connection:
        yield App(connection)


@contextlib.asynccontextmanager
async def alchemy_scoped_session(path: Path) -> AsyncIterator[App]:
    with alchemy(path) as engine:
        session = scoped_session(sessionmaker(engine))
        yield App(session)
        session.remove()


@contextlib.asynccontextmanager
async def async_alchemy_scoped_session(path: Path) -> AsyncIterator[App]:
    async with async_alchemy(path) as engine:
        session = async_scoped_session(async_sessionmaker(engine), asyncio.current_task)
        yield App(session)
        await session.remove()


LIBRARIES = [
    plain,
    dicts_in_a_transaction_begun_by_hand,
    on_a_thread,
    *ALCHEMY,
    alchemy_scoped_session,
    async_alchemy_scoped_session,
]


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.open(tmp_path / "shop.db", migrations=JOB_MIGRATIONS, busy_timeout=20) as db:
        await db.execute("CREATE TABLE app_orders (name TEXT NOT NULL)")
        yield db


async def orders(db: Database) -> int:
    return (await db.get("SELECT count(*) AS n FROM app_orders"))["n"]


@pytest.mark.parametrize("library", LIBRARIES)
async def test_jobs_exist_with_the_commit_and_not_without_it(db, library):
    manager = BackgroundJobManager(db)
    async with library(db.path) as app:
        for end, writes_first in ((app.rollback, True), (app.rollback, False), (app.commit, True)):
            if app.transaction.__class__ is sqlite3.Connection and app.transaction.isolation_level is None:
                app.transaction.execute("BEGIN" if not app.transaction.in_transaction else "SELECT 1")
            if writes_first:
                await app.execute(INSERT)
            first = await manager.enqueue("mail", {"to": "ada"}, unique_key="ada", transaction=app.transaction)
            same = await manager.enqueue("mail", unique_key="ada", transaction=app.transaction)
            many = await manager.enqueue_many([NewJob(job_key="bulk")] * 103, transaction=app.transaction)
            if not writes_first:
                await app.execute(INSERT)
            assert (same, many) == (first, list(range(many[0], many[0] + 103)))
            assert ((await manager.get_counts()).total, await orders(db)) == (0, 0)
            await end()
    assert ((await manager.get_counts()).pending, await orders(db)) == (104, 1)
    stored = await manager.get_job_by_id(first)
    assert stored is not None
    assert (stored.payload, stored.unique_key) == ({"to": "ada"}, "ada")


@pytest.mark.parametrize("library", LIBRARIES)
async def test_a_handler_completes_its_job_in_the_transaction(db, library):
    manager, engine = BackgroundJobManager(db), engine_of(db)
    job_id = await manager.enqueue("work")
    ((claim,),) = [(await engine.ack_and_fetch("w", [], 1)).claims]
    async with library(db.path) as app:
        await engine.acknowledge(Ack(claim, Completed('"sent"')), app.transaction, Progress(claim, 0.5, "half"))
        await app.execute(INSERT)
        assert (await manager.get_job_by_id(job_id)).status is BackgroundJobStatus.RUNNING
        await app.commit()
        job = await manager.get_job_by_id(job_id)
        assert (job.status, job.result, job.progress_message) == (BackgroundJobStatus.COMPLETED, "sent", "half")
        if library is dicts_in_a_transaction_begun_by_hand:
            app.transaction.execute("BEGIN")
        with pytest.raises(ClaimLostError):
            await engine.acknowledge(Ack(claim, Completed()), app.transaction)
        await app.rollback()


@pytest.mark.parametrize("library", LIBRARIES)
async def test_missing_job_tables_are_created_in_the_transaction(tmp_path, library):
    async with Database.open(tmp_path / "new.db") as db:
        await db.execute("CREATE TABLE app_orders (name TEXT NOT NULL)")
        manager = BackgroundJobManager(db)
        async with library(db.path) as app:
            await app.execute(INSERT)
            job_id = await manager.enqueue("first", transaction=app.transaction)
            await app.commit()
        assert (await manager.get_job_by_id(job_id)).job_key == "first"


async def test_the_settings_of_the_connection_are_as_before(db):
    async with dicts_in_a_transaction_begun_by_hand(db.path) as app:
        connection = app.transaction
        connection.execute("PRAGMA busy_timeout = 1234")
        factories = (connection.row_factory, connection.text_factory)
        await BackgroundJobManager(db).enqueue("k", transaction=connection)
        assert (connection.row_factory, connection.text_factory) == factories
        assert list(connection.execute("PRAGMA busy_timeout").fetchone().values()) == [1234]
        connection.rollback()


async def test_a_failed_call_stores_nothing_and_leaves_the_transaction_as_it_was(db):
    manager = BackgroundJobManager(db)
    await db.execute("CREATE TRIGGER refuse BEFORE INSERT ON background_service_jobs WHEN NEW.job_key = 'bad' "
                     "BEGIN SELECT RAISE(ABORT, 'refused'); END")  # fmt: skip
    jobs = [NewJob(job_key="good"), NewJob(job_key="bad")]
    async with plain(db.path) as app:
        with pytest.raises(sqlite3.IntegrityError, match="refused"):
            await manager.enqueue_many(jobs, transaction=app.transaction)
        assert not app.transaction.in_transaction
        await app.execute(INSERT)
        with pytest.raises(sqlite3.IntegrityError, match="refused"):
            await manager.enqueue_many(jobs, transaction=app.transaction)
        await app.commit()
    assert ((await manager.get_counts()).total, await orders(db)) == (0, 1)


async def test_a_wait_for_the_write_lock_does_not_stop_the_loop(db):
    manager = BackgroundJobManager(db)
    async with plain(db.path) as app:
        async with db.transaction() as tx:
            waiting = asyncio.create_task(manager.enqueue("k", transaction=app.transaction))
            for _ in range(5):
                await asyncio.sleep(0.002)
                await tx.execute(INSERT)
            assert not waiting.done()
        job_id = await waiting
        await app.commit()
    assert (await manager.get_job_by_id(job_id)).job_key == "k"


async def test_a_lock_that_is_not_released_is_an_error_after_the_timeout_of_the_connection(db):
    manager = BackgroundJobManager(db)
    with contextlib.closing(sqlite3.connect(db.path, timeout=0.05)) as connection:
        async with db.transaction():
            enqueueing = asyncio.create_task(manager.enqueue("k", transaction=connection))
            with pytest.raises(DatabaseLockedError, match=r"0\.05 s"):
                await enqueueing
            with pytest.raises(TransactionUnusableError, match="this task holds another"):
                await manager.enqueue("k", transaction=connection)
        assert not connection.in_transaction


def connect_elsewhere(path: Path) -> sqlite3.Connection:
    made: list[sqlite3.Connection] = []
    thread = threading.Thread(target=lambda: made.append(sqlite3.connect(path)))
    thread.start()
    thread.join()
    return made[0]


def read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)


def closed(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.close()
    return connection


def query_only(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA query_only = ON")
    return connection


def other_file_with_this_one_attached(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path.with_name("other.db"))
    connection.execute("ATTACH ? AS shop", (str(path),))
    return connection


REFUSED = [
    (closed, TransactionUnusableError, r"closed.*stays open"),
    (connect_elsewhere, TransactionUnusableError, r"another thread.*check_same_thread=False"),
    (read_only, TransactionUnusableError, r"read-only.*mode=ro"),
    (query_only, TransactionUnusableError, r"read-only.*query_only"),
    (lambda path: sqlite3.connect(path, isolation_level=None), TransactionUnusableError, "execute BEGIN"),
    (lambda path: sqlite3.connect(":memory:"), OtherDatabaseError, "in memory"),
    (lambda path: sqlite3.connect(path.with_name("other.db")), OtherDatabaseError, r"other\.db"),
    (other_file_with_this_one_attached, OtherDatabaseError, r"other\.db"),
]  # fmt: skip


@pytest.mark.parametrize(("connect", "error", "text"), REFUSED)
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_connection_that_cannot_be_written_in_is_refused(db, connect, error, text):
    manager = BackgroundJobManager(db)
    connection = connect(db.path)
    with pytest.raises(error, match=text):
        await manager.enqueue("k", transaction=connection)
    assert (await manager.get_counts()).total == 0


async def test_a_closed_connection_of_another_library_is_refused(db):
    manager = BackgroundJobManager(db)
    async with on_a_thread(db.path) as thread, alchemy_connection(db.path) as alchemy_app:
        await thread.transaction.close()
        alchemy_app.transaction.close()
        for app in (thread, alchemy_app):
            with pytest.raises(TransactionUnusableError, match=r"closed.*open"):
                await manager.enqueue("k", transaction=app.transaction)
    with (
        alchemy(db.path, isolation_level="AUTOCOMMIT") as engine,
        Session(engine) as session,
        pytest.raises(TransactionUnusableError, match="commits each statement"),
    ):
        await manager.enqueue("k", transaction=session)


async def test_a_snapshot_that_is_too_old_to_write_says_so(db):
    manager = BackgroundJobManager(db)
    with contextlib.closing(sqlite3.connect(db.path)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM app_orders").fetchall()
        await db.execute(INSERT)
        with pytest.raises(TransactionUnusableError, match="roll it back and repeat"):
            await manager.enqueue("k", transaction=connection)
        connection.rollback()
        await manager.enqueue("k", transaction=connection)
        connection.commit()
    assert (await manager.get_counts()).pending == 1


@pytest.mark.parametrize("value", ["text", None.__class__, 5, sqlalchemy.create_engine("sqlite://")], ids=repr)
async def test_other_objects_are_refused_with_the_list_of_transactions(db, value):
    manager = BackgroundJobManager(db)
    with pytest.raises(TypeError, match=r"SQLAlchemy.*psycopg") as refused:
        await manager.enqueue("k", transaction=value)
    assert isinstance(refused.value, NotATransactionError)
    with pytest.raises(NotATransactionError, match=r"db\.transaction"):
        await manager.enqueue("k", transaction=db)


async def test_a_transaction_of_another_file_is_refused_and_of_another_opening_is_not(db, tmp_path):
    manager = BackgroundJobManager(db)
    async with Database.open(tmp_path / "other.db") as other, other.transaction() as transaction:
        with pytest.raises(OtherDatabaseError, match=r"other\.db.*shop\.db"):
            await manager.enqueue("k", transaction=transaction)
    async with Database.open(db.path) as same:
        async with same.transaction() as transaction:
            job_id = await manager.enqueue("k", transaction=transaction)
        assert await manager.get_job_by_id(job_id) is not None
