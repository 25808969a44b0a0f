"""Open the engine that an address names."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tetherpy.database import Database

from .sqlite import JOB_MIGRATIONS, SqliteJobEngine

if TYPE_CHECKING:
    from .engine import JobEngine


@asynccontextmanager
async def open_engine(database: str | os.PathLike[str]) -> AsyncGenerator[JobEngine]:
    """Open the jobs of a database, with their tables; close it at the end of the block.

    ``database`` is the path of an SQLite file. Raises what ``Database.open`` does.
    """
    async with Database.open(database, migrations=JOB_MIGRATIONS) as db:
        yield SqliteJobEngine(db)
