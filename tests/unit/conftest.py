"""A SQLite file with job tables, and what works on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tetherpy.database import Database
from tetherpy.jobs import JOB_MIGRATIONS, BackgroundJobManager, SqliteJobEngine
from tetherpy.service import InlineWorker


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """Yield a database with empty job tables."""
    async with Database.open(tmp_path / "app.db", migrations=JOB_MIGRATIONS) as db:
        yield db


@pytest.fixture
def engine(db: Database) -> SqliteJobEngine:
    return SqliteJobEngine(db)


@pytest.fixture
def manager(engine: SqliteJobEngine) -> BackgroundJobManager:
    return BackgroundJobManager(engine)


@pytest.fixture
async def worker(db: Database) -> AsyncIterator[InlineWorker]:
    """Yield a worker in the loop of the test, without handlers."""
    async with InlineWorker.open(db) as worker:
        yield worker
