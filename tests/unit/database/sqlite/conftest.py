"""A SQLite file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tetherpy.database import Database


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """Yield a database with one empty table ``t``."""
    async with Database.open(tmp_path / "app.db") as db:
        await db.execute("CREATE TABLE t (x UNIQUE)")
        yield db
