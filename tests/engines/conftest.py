"""Run one suite on every engine; to add an engine, add its opener to ``ENGINES``."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from tetherpy.database import Database, PostgresDatabase
from tetherpy.jobs import (
    JOB_MIGRATIONS,
    BackgroundJobManager,
    Claim,
    JobEngine,
    NewJob,
    PostgresJobEngine,
    SqliteJobEngine,
)

LEASE = timedelta(seconds=30)


@attrs.define
class TestTime:
    """Wall clock and monotonic clock that stand still until a test moves them."""

    __test__ = False

    now: datetime = datetime(2030, 1, 1, 12, tzinfo=UTC)
    ticks: float = 1000.0

    def clock(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.ticks

    def advance(self, **span: float) -> None:
        self.now += timedelta(**span)
        self.ticks += timedelta(**span).total_seconds()


@attrs.define
class Kit:
    """What a test needs: the engine, a second process' view of the same store, and transactions."""

    engine: JobEngine
    time: TestTime
    another: Callable[[], Awaitable[JobEngine]]
    transaction: Callable[[], AbstractAsyncContextManager[Any]]
    execute: Callable[[str], Awaitable[Any]]
    """Executes SQL of another program."""
    name: str = ""

    manager: BackgroundJobManager = attrs.field(
        init=False, default=attrs.Factory(lambda self: BackgroundJobManager(self.engine), takes_self=True)
    )

    async def add(self, job_key: str = "work", **options: Any) -> int:
        (job_id,) = await self.engine.enqueue([NewJob(job_key=job_key, **options)])
        return job_id

    async def claim(
        self, slots: int = 1, worker: str = "w1", queues: list[str] | None = None, keys: list[str] | None = None
    ) -> list[Claim]:
        return list((await self.engine.ack_and_fetch(worker, [], slots, queues, keys)).claims)

    async def claim_one(self, worker: str = "w1") -> Claim:
        (claim,) = await self.claim(1, worker)
        return claim


@asynccontextmanager
async def open_sqlite(request: pytest.FixtureRequest) -> AsyncIterator[Kit]:
    folder: Path = request.getfixturevalue("tmp_path")
    time = TestTime()
    async with AsyncExitStack() as stack:
        # Without the safety interval a view shows only changes that were pushed.
        async def connect() -> SqliteJobEngine:
            db = await stack.enter_async_context(
                Database.open(folder / "jobs.db", migrations=JOB_MIGRATIONS, safety_interval=None)
            )
            return SqliteJobEngine(db, lease=LEASE, clock=time.clock, monotonic=time.monotonic)

        engine = await connect()
        yield Kit(engine, time, connect, engine.db.transaction, engine.db.execute)


@asynccontextmanager
async def open_postgres(request: pytest.FixtureRequest) -> AsyncIterator[Kit]:
    time = TestTime()
    url: str = request.getfixturevalue("empty_tables_url")
    async with AsyncExitStack() as stack:

        async def connect() -> PostgresJobEngine:
            db = await stack.enter_async_context(PostgresDatabase.open(url))
            return PostgresJobEngine(db, lease=LEASE, clock=time.clock, monotonic=time.monotonic)

        engine = await connect()
        # A process reads everything once when it starts to listen. Tests count only the statements after that.
        listening = asyncio.Event()
        engine.on_change(listening.set)
        await listening.wait()
        yield Kit(engine, time, connect, engine.db.transaction, engine.db.execute)


ENGINES = {"sqlite": open_sqlite, "postgres": open_postgres}


@pytest.fixture(params=list(ENGINES))
async def kit(request: pytest.FixtureRequest) -> AsyncIterator[Kit]:
    async with ENGINES[request.param](request) as kit:
        kit.name = request.param
        yield kit
