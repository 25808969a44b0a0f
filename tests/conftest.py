"""Fixtures for several folders, such as one PostgreSQL server per session, which starts at the first use."""

import asyncio
import gc
import signal
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import psycopg
import pytest

from tests import forked_interpreters, postgres_server
from tests.support import memory_files
from tetherpy.jobs import open_engine

EMPTY = """
DELETE FROM procrastinate_jobs;
DELETE FROM procrastinate_periodic_defers;
DELETE FROM background_service_workers;
DELETE FROM tetherpy_job_changes;
SELECT setval('procrastinate_jobs_id_seq', 1, false);
"""

CHECKOUT = Path(__file__).parents[1]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # pytest runs in the background of a shell. Processes of tests would inherit that SIGINT is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["pytester"]  # used by tests of the pytest plugin


memory_files.install()
forked_interpreters.install()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Start real interpreters in tests that are marked ``new_interpreter``."""
    if item.get_closest_marker("new_interpreter") is None:
        return (yield)
    with forked_interpreters.new_interpreters():
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that may take longer than all others first, so that no process ends with one of them alone."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep modules and collected tests out of garbage collection: they stay, and each full one would visit them.

    Full collections are rarer than by default: they took a sixth of the time of tests with screens.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(2000, 20, 100)
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def checkout_without_databases() -> Iterator[None]:
    """Fail the last test of a session that has left a database in the checkout."""
    before = {*CHECKOUT.glob("*.db*")}
    yield
    assert {*CHECKOUT.glob("*.db*")} <= before


@pytest.fixture
def no_hidden_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn off the check for writers without tetherpy, which reports all tables and runs first on a busy machine."""
    monkeypatch.setattr("tetherpy.database.sqlite.changes.table_versions.HIDDEN_WRITER_SECONDS", 3600.0)


@attrs.frozen
class JobServer:
    """The server, and the name of a database with empty job tables to copy."""

    server: postgres_server.PostgresServer
    template: str


@pytest.fixture(scope="session")
def job_server() -> Iterator[JobServer]:
    server = postgres_server.start()
    template = server.create_database()

    async def make_tables() -> None:
        async with open_engine(server.address(template)):
            pass

    try:
        with ThreadPoolExecutor(1) as thread:  # the requesting test may have a running loop
            thread.submit(lambda: asyncio.run(make_tables())).result()
        yield JobServer(server, template)
    finally:
        server.drop_database(template)
        server.close()


@pytest.fixture
def postgres_url(job_server: JobServer) -> Iterator[str]:
    """The URL of a new database with empty job tables."""
    with job_server.server.database(job_server.template) as url:
        yield url


@pytest.fixture(scope="session")
def session_database(job_server: JobServer) -> Iterator[tuple[str, psycopg.Connection]]:
    """The URL of a database, and a connection to it."""
    with job_server.server.database(job_server.template) as url, psycopg.connect(url, autocommit=True) as connection:
        yield url, connection


@pytest.fixture
def empty_tables_url(session_database: tuple[str, psycopg.Connection]) -> str:
    """The URL of a database that tests share one after another; its job tables are emptied before each."""
    url, connection = session_database
    connection.execute(EMPTY)
    return url
