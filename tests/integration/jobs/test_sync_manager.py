"""``SyncJobManager`` and ``SyncDatabase`` in code without an event loop, on both databases."""

from __future__ import annotations

import asyncio
import gc
import inspect
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import psycopg
import pytest
import sqlalchemy
from sqlalchemy.orm import Session

from tests.support.app_transactions import alchemy
from tests.support.waiting import turns
from tetherpy.database import (
    Database,
    DatabaseAddressError,
    DatabaseClosedError,
    DatabaseLockedError,
    Migration,
    NotATransactionError,
    Portal,
    RowNotFoundError,
    SyncCallInLoopError,
    SyncDatabase,
    is_postgres,
)
from tetherpy.jobs import (
    BackgroundJobManager,
    BackgroundJobStatus,
    JobDefinition,
    JobFailedError,
    JobNotFoundError,
    JobQuery,
    JobWaitTimeoutError,
    NewJob,
    SyncJobManager,
    wait_observer,
)

APP_TABLES = Migration(1, "notes", "CREATE TABLE app_notes (text TEXT PRIMARY KEY)")
RESIZE = JobDefinition("resize", payload=int, result=str)


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest) -> Any:
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return request.getfixturevalue("tmp_path") / "app.db"


@pytest.fixture
def jobs(address: Any) -> Iterator[SyncJobManager]:
    with SyncJobManager.open(address, migrations=[APP_TABLES]) as jobs:
        yield jobs


@contextmanager
def drivers_own(address: Any) -> Iterator[Any]:
    connection: Any = psycopg.connect(address) if is_postgres(address) else sqlite3.connect(address)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def alchemys(address: Any, kind: Callable[[sqlalchemy.Engine], Any]) -> Iterator[Any]:
    with alchemy(address) as engine, kind(engine) as transaction:
        yield transaction


CONNECTIONS: dict[str, Callable[[Any], Any]] = {
    "the driver": drivers_own,
    "SQLAlchemy's Session": lambda address: alchemys(address, Session),
    "SQLAlchemy's Connection": lambda address: alchemys(address, sqlalchemy.Engine.connect),
}


def note(transaction: Any, text: str) -> None:
    sql = f"INSERT INTO app_notes VALUES ('{text}')"
    transaction.execute(sqlalchemy.text(sql) if type(transaction).__module__.startswith("sqlalchemy") else sql)


@contextmanager
def observing_waits(observer: Callable[[int], AbstractContextManager[None]]) -> Iterator[None]:
    token = wait_observer.set(observer)
    try:
        yield
    finally:
        wait_observer.reset(token)


def stored(jobs: SyncJobManager) -> tuple[list[str], list[str]]:
    """Return the keys of the jobs and the notes of the app that are committed."""
    notes = jobs.database.get_all("SELECT text FROM app_notes ORDER BY text")
    return sorted(job.job_key for job in jobs.get_all_jobs()), [row["text"] for row in notes]


def test_each_coroutine_of_the_manager_has_a_synchronous_form_with_its_parameters():
    def shape(function: Callable[..., Any]) -> list[tuple[str, Any, Any]]:
        return [(one.name, one.kind, one.default) for one in inspect.signature(function).parameters.values()]

    methods = {
        name: method
        for name, method in inspect.getmembers(BackgroundJobManager, inspect.iscoroutinefunction)
        if not name.startswith("_")
    }
    assert len(methods) > 15
    del methods["enqueue"]  # its overloads are pinned in tests/typing
    for name, method in methods.items():
        assert shape(getattr(SyncJobManager, name)) == shape(method), name


def test_jobs_are_enqueued_inspected_and_managed(jobs):
    resize = jobs.enqueue(RESIZE, 7, priority=3)
    cleanup, other = jobs.enqueue_many(NewJob(job_key=key) for key in ("cleanup", "other"))
    assert jobs.get_job_by_id(resize).payload == 7
    assert [job.id for job in jobs.find_jobs(JobQuery(job_key="cleanup"))] == [cleanup]
    assert jobs.cancel_job(other).status is BackgroundJobStatus.CANCELLED
    jobs.delete_job(other)
    assert jobs.get_counts().pending == 2
    with pytest.raises(JobNotFoundError):
        jobs.delete_job(other)


def test_an_error_has_the_frames_of_both_threads_and_keeps_no_reference_to_the_call(jobs):
    with pytest.raises(RowNotFoundError) as caught:
        jobs.database.get("SELECT text FROM app_notes")
    functions = [frame.name for frame in caught.traceback]
    assert functions[0].startswith("test_an_error")
    assert "wait" in functions
    assert functions[-1] not in {"wait", "call"}


@pytest.mark.parametrize("kind", CONNECTIONS)
@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_jobs_are_part_of_the_transaction_of_the_calling_thread(jobs, address, kind, end):
    """A ``sqlite3.Connection`` refuses its use in other threads than the one that created it."""
    with CONNECTIONS[kind](address) as transaction:
        note(transaction, "tea")
        jobs.enqueue("brew", transaction=transaction)
        jobs.enqueue_many([NewJob(job_key="pour")], transaction=transaction)
        assert stored(jobs) == ([], [])
        getattr(transaction, end)()
    assert stored(jobs) == ((["brew", "pour"], ["tea"]) if end == "commit" else ([], []))


def test_an_error_in_the_transaction_of_the_app_is_raised_in_its_thread(jobs, address):
    with drivers_own(address) as connection:
        jobs.enqueue("once", unique_key="k", transaction=connection)
        connection.rollback()
        with pytest.raises(NotATransactionError):
            jobs.enqueue("once", transaction="no transaction")
        jobs.enqueue("once", unique_key="k", transaction=connection)
        connection.commit()
    assert stored(jobs) == (["once"], [])


def test_a_transaction_is_committed_at_the_end_of_its_block_and_rolled_back_by_an_error(jobs):
    db = jobs.database
    with db.transaction() as tx:
        note(tx, "kept")
        jobs.enqueue("kept", transaction=tx)
        with suppress(ZeroDivisionError), db.transaction() as inner:
            note(inner, "undone")
            raise ZeroDivisionError
        with ThreadPoolExecutor(1) as another:
            assert another.submit(stored, jobs).result() == ([], [])
    with suppress(ZeroDivisionError), db.transaction() as tx:
        note(tx, "lost")
        jobs.enqueue("lost", transaction=tx)
        raise ZeroDivisionError
    assert stored(jobs) == (["kept"], ["kept"])


def test_a_transaction_whose_begin_was_interrupted_is_rolled_back(jobs, monkeypatch):
    """Ctrl-C may come after the transaction has begun, and before its block has."""
    from tetherpy.database.synchronous import sync_database

    def interrupted(*_args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sync_database, "SyncTransaction", interrupted)
    with pytest.raises(KeyboardInterrupt), jobs.database.transaction():
        pytest.fail("it was not interrupted")
    monkeypatch.undo()
    with jobs.database.transaction() as tx:
        note(tx, "free")
    assert stored(jobs) == ([], ["free"])


def test_any_number_of_threads_may_use_one_manager(address):
    with SyncJobManager.open(address) as jobs, ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(lambda n: jobs.enqueue("k", n), range(80)))
        assert sorted(job.payload for job in threads.map(jobs.get_job_by_id, ids)) == list(range(80))


def test_a_wait_ends_with_the_job_or_its_time(jobs):
    done, failing = jobs.enqueue(RESIZE, 1), jobs.enqueue(RESIZE, 2)
    with pytest.raises(JobWaitTimeoutError):
        jobs.wait_for(done, 0.01)
    with ThreadPoolExecutor(1) as another:

        @contextmanager
        def end_jobs(other_id: int) -> Iterator[None]:
            jobs_end = BackgroundJobStatus.COMPLETED if other_id == done else BackgroundJobStatus.FAILED
            another.submit(lambda: [jobs.update_job_status(other_id, to) for to in ("RUNNING", jobs_end)])
            yield

        with observing_waits(end_jobs):
            assert jobs.wait_for(done, 25).status is BackgroundJobStatus.COMPLETED
            with pytest.raises(JobFailedError):
                jobs.result(failing, 25)


def test_ctrl_c_ends_a_wait_and_leaves_the_manager_usable(jobs):
    ended = threading.Event()

    @contextmanager
    def press(_other_id: int) -> Iterator[None]:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        try:
            yield
        finally:
            ended.set()

    job_id = jobs.enqueue("k")
    with observing_waits(press), pytest.raises(KeyboardInterrupt):
        jobs.wait_for(job_id, 25)
    assert ended.is_set()
    assert jobs.get_job_by_id(job_id).status is BackgroundJobStatus.PENDING


async def test_a_call_in_an_event_loop_is_refused(tmp_path):
    jobs = SyncJobManager.open(tmp_path / "app.db")
    for call in (jobs.__enter__, jobs.close, jobs.get_counts, lambda: jobs.enqueue("k")):
        with pytest.raises(SyncCallInLoopError, match="BackgroundJobManager"):
            call()
    assert await asyncio.to_thread(jobs.get_counts)
    await asyncio.to_thread(jobs.close)


def test_close_ends_waits_of_other_threads_the_connections_and_the_loop(address):
    before = set(threading.enumerate())
    jobs = SyncJobManager.open(address)
    job_id = jobs.enqueue("k")
    waiting = threading.Event()

    @contextmanager
    def waits(_other_id: int) -> Iterator[None]:
        waiting.set()
        yield

    def wait() -> None:
        with observing_waits(waits):
            jobs.wait_for(job_id)

    with ThreadPoolExecutor(1) as another:
        call = another.submit(wait)
        assert waiting.wait(25)
        jobs.close()
        with pytest.raises(DatabaseClosedError):
            call.result(25)
    for use in (jobs.get_counts, jobs.database.transaction().__enter__, jobs.__enter__):
        with pytest.raises(DatabaseClosedError):
            use()
    jobs.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(25)  # the thread of a connection answers before it ends
        assert not thread.is_alive()


def test_a_relative_path_is_that_of_the_declaration_and_a_wrong_address_its_error(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    jobs = SyncJobManager.open("app.db")
    monkeypatch.chdir(tmp_path / "elsewhere")
    with jobs:
        assert jobs.enqueue("k") == 1
    assert (tmp_path / "app.db").exists()
    with pytest.raises(DatabaseAddressError, match="mysql"):
        SyncJobManager.open("mysql://localhost/app")


def test_a_manager_that_nothing_refers_to_any_longer_ends_its_threads(tmp_path):
    def use() -> None:
        SyncJobManager.open(tmp_path / "app.db").enqueue("k")

    before = set(threading.enumerate())
    use()
    gc.collect()
    for thread in set(threading.enumerate()) - before:
        thread.join(25)
    assert set(threading.enumerate()) <= before
    assert not (tmp_path / "app.db-wal").exists()


def test_an_interruption_while_a_call_begins_cancels_it(jobs, monkeypatch):
    portal, _ = jobs.in_loop()
    seen: list[str] = []

    async def forever() -> None:
        seen.append("begun")
        try:
            await asyncio.sleep(3600)
        finally:
            seen.append("ended")

    post = Portal._post

    def interrupted(portal: Portal, function: Any, *args: Any) -> None:
        post(portal, function, *args)
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(Portal, "_post", interrupted)
    with pytest.raises(KeyboardInterrupt):
        portal.call(forever)
    assert seen in ([], ["begun", "ended"])


async def test_a_transaction_whose_task_was_cancelled_is_rolled_back_and_its_thread_told(tmp_path):
    """As at the end of ``asyncio.run``, which cancels all tasks while a handler still runs in a thread."""
    async with Database.open(tmp_path / "app.db") as db:
        await db.execute("CREATE TABLE app_notes (text TEXT)")
        portal = Portal("app.db", asyncio.get_running_loop())
        begun, cancelled = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def write() -> None:
            with SyncDatabase.of(portal, db).transaction() as tx:
                note(tx, "lost")
                loop.call_soon_threadsafe(begun.set)
                assert cancelled.wait(25)
                note(tx, "never")

        before = asyncio.all_tasks()
        call = asyncio.create_task(asyncio.to_thread(write))
        await begun.wait()
        for task in asyncio.all_tasks() - before - {call}:
            task.cancel()
        await turns(3)
        cancelled.set()
        with pytest.raises(DatabaseClosedError):
            await asyncio.wait_for(call, 25)
        assert await db.get_all("SELECT text FROM app_notes") == []
        await db.execute("INSERT INTO app_notes VALUES ('free')")


def test_a_failed_open_leaves_no_thread_and_may_be_tried_again(tmp_path):
    before = set(threading.enumerate())
    jobs = SyncJobManager.open(tmp_path / "missing" / "app.db")
    with pytest.raises(Exception, match="missing"):
        jobs.get_counts()
    assert set(threading.enumerate()) <= before
    (tmp_path / "missing").mkdir()
    assert jobs.get_counts().pending == 0
    jobs.close()


def test_a_first_use_inside_a_transaction_of_the_app_says_how_to_create_the_tables_earlier(tmp_path):
    path = tmp_path / "app.db"
    jobs = SyncJobManager(SyncDatabase(str(path), lambda: Database.open(path, busy_timeout=0.01)))
    with drivers_own(path) as connection:
        connection.execute("CREATE TABLE app_notes (text TEXT)")
        connection.execute("INSERT INTO app_notes VALUES ('tea')")
        with pytest.raises(DatabaseLockedError) as caught:
            jobs.enqueue("brew", transaction=connection)
        assert "tetherpy migrate" in caught.value.__notes__[0]
        connection.rollback()
        assert jobs.database.get_all("SELECT 1")
    jobs.database.close()


def test_statements_are_those_of_the_asynchronous_database(jobs):
    db = jobs.database
    assert isinstance(db, SyncDatabase)
    assert db.execute_many("INSERT INTO app_notes VALUES (?)", [("a",), ("b",)]) == 2
    assert db.get_optional("SELECT text FROM app_notes WHERE text = ?", ("c",)) is None
    assert db.get("SELECT text FROM app_notes WHERE text = :text", {"text": "b"})["text"] == "b"
    db.migrate([APP_TABLES, Migration(2, "more", "CREATE TABLE app_more (x INTEGER)")])
    assert db.get_all("SELECT x FROM app_more") == []
