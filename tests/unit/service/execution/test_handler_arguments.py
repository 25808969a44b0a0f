"""The service and the database with which a handler is called."""

import asyncio
import functools
import sqlite3
import threading

import pytest

from tetherpy.database import Database, SyncDatabase
from tetherpy.jobs import JOB_MIGRATIONS, BackgroundJobManager, BackgroundJobStatus, SyncJobManager
from tetherpy.service import InlineWorker, ServiceInstance, SyncServiceInstance

ASYNC = [ServiceInstance.__name__, Database.__name__]
SYNC = [SyncServiceInstance.__name__, SyncDatabase.__name__]


async def in_loop(service, payload, db):
    return [type(service).__name__, type(db).__name__]


def in_thread(service, payload, db):
    assert threading.current_thread().name.startswith("job")
    return [type(service).__name__, type(db).__name__]


@functools.wraps(in_loop)
def wrapper(service, payload, db):
    return in_loop(service, payload, db)


class InLoop:
    async def __call__(self, service, payload, db):
        return [type(service).__name__, type(db).__name__]


def with_a_connection(service, payload, db):
    """Complete the job in a transaction of the driver, which belongs to this thread."""
    connection = sqlite3.connect(db.address)
    try:
        connection.execute("CREATE TABLE notes (x)")
        connection.execute("INSERT INTO notes VALUES (1)")
        SyncJobManager(db).enqueue("next", transaction=connection)
        service.complete("noted", transaction=connection)
        connection.commit()
    finally:
        connection.close()


@pytest.fixture
async def run(tmp_path):
    async with Database.open(tmp_path / "app.db", migrations=JOB_MIGRATIONS) as db, InlineWorker.open(db) as worker:

        async def run(handler):
            worker.service.register_job_handler("k", handler)
            manager = BackgroundJobManager(db)
            job_id = await manager.enqueue("k", max_attempts=1)
            async with asyncio.timeout(25):
                await worker.drain(lambda ack: None)
            return await manager.get_job_by_id(job_id), manager

        yield run


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (in_loop, ASYNC),
        (functools.partial(in_loop), ASYNC),
        (InLoop(), ASYNC),
        (wrapper, ASYNC),
        (in_thread, SYNC),
        (functools.partial(in_thread), SYNC),
    ],
)
async def test_the_innermost_function_says_whether_they_are_synchronous(run, handler, expected):
    job, _ = await run(handler)
    assert job.result == expected


async def test_a_plain_function_that_calls_an_async_handler_is_told_what_to_do(run):
    async def insert(service, payload, db):
        db.execute("CREATE TABLE notes (x)")

    job, _ = await run(lambda service, payload, db: insert(service, payload, db))
    assert job.status is BackgroundJobStatus.FAILED
    assert job.last_error.startswith("SyncCallInLoopError")
    assert "declare it with async def" in job.last_error


async def test_a_handler_in_a_thread_completes_its_job_in_a_transaction_of_the_driver(run):
    job, manager = await run(with_a_connection)
    assert job.result == "noted"
    assert len(await manager.get_jobs_by_job_key("next")) == 1
    assert len(await manager.database.get_all("SELECT x FROM notes")) == 1
