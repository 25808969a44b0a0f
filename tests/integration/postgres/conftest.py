"""A service on a server, on one or several "machines": process groups with separate state folders."""

import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.streams import Seen
from tetherpy.database import PostgresDatabase, SqlDatabase
from tetherpy.jobs import BackgroundJobManager, open_database
from tetherpy.service import BackgroundService

APPS = Path(__file__).parent / "apps"
BOUND = 25.0


@pytest.fixture(autouse=True)
def apps_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(APPS))


@pytest.fixture
async def make_service(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., BackgroundService]]:
    """Return a factory of services for this test's database, each on a machine with a separate state folder."""
    async with contextlib.AsyncExitStack() as stack:

        def make(machine: str = "one", **options: Any) -> BackgroundService:
            monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / machine))
            service = BackgroundService(postgres_url, "postgres_worker:initialize", **options)
            stack.push_async_callback(service.aclose)
            stack.push_async_callback(service.stop, 0)
            return service

        yield make


@pytest.fixture
async def db(postgres_url: str) -> AsyncIterator[SqlDatabase]:
    async with open_database(postgres_url) as db:
        await db.execute("CREATE TABLE effects (job_id bigint NOT NULL, worker integer NOT NULL)")
        yield db


@pytest.fixture
async def empty_tables(empty_tables_url: str) -> AsyncIterator[PostgresDatabase]:
    """Yield a database with empty job tables, which tests of a session share."""
    async with open_database(empty_tables_url) as db:
        assert isinstance(db, PostgresDatabase)
        yield db


@pytest.fixture
def manager(db: SqlDatabase) -> BackgroundJobManager:
    return BackgroundJobManager(db)


async def first(observable: Any, condition: Callable[[Any], object]) -> Any:
    """Return the first value of a stream that meets a condition."""
    seen = Seen(observable)
    try:
        return await seen.until(condition)
    finally:
        seen.subscription.dispose()


async def worker_of(service: BackgroundService) -> int:
    """Return the process id of a service's only worker."""
    state = await first(service.state, lambda state: len(state.workers) == 1 and state.workers[0].id)
    pid: int = state.workers[0].pid
    assert pid != os.getpid()
    return pid
