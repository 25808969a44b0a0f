from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tetherpy.database import Database
from tetherpy.jobs import JOB_MIGRATIONS, BackgroundJobManager, SqliteJobEngine


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database.open(tmp_path / "jobs.db", migrations=JOB_MIGRATIONS) as db:
        yield db


@pytest.fixture
def engine(db: Database) -> SqliteJobEngine:
    return SqliteJobEngine(db)


@pytest.fixture
def manager(engine: SqliteJobEngine) -> BackgroundJobManager:
    return BackgroundJobManager(engine)
