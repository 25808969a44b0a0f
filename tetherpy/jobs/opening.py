"""Open the database, or the engine, that an address names."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeGuard, cast

from tetherpy.database import Address, Database, Migration, SqlDatabase, is_postgres

from .engine import JobEngine, JobStore
from .errors import JobArgumentError
from .leases import DEFAULT_LEASE
from .sqlite import JOB_MIGRATIONS, SqliteJobEngine
from .storage.timestamps import WallClock, utc_now


@asynccontextmanager
async def open_database(
    address: Address, *, migrations: Iterable[Migration] = (), pool_size: int = 10
) -> AsyncGenerator[SqlDatabase]:
    """Open an app's database with the tables of the jobs; close it at the end of the block.

    ``address`` is the path of an SQLite file, or a ``postgresql://`` URL (which needs the extra
    ``postgres``). ``migrations`` are the app's own. ``pool_size`` is that of ``PostgresDatabase.open``;
    a file needs none. Raises the errors of ``Database.open`` or ``PostgresDatabase.open``.
    """
    if not is_postgres(address):
        async with Database.open(address, migrations=[*JOB_MIGRATIONS, *migrations]) as db:
            yield db
        return
    # Imported here: apps that use SQLite need no PostgreSQL driver.
    from tetherpy.database import PostgresDatabase

    from .postgres import PostgresJobEngine

    async with PostgresDatabase.open(os.fspath(address), migrations=migrations, pool_size=pool_size) as postgres:
        await PostgresJobEngine(postgres).prepare()
        yield postgres


@asynccontextmanager
async def open_engine(address: Address) -> AsyncGenerator[JobEngine]:
    """Open the jobs of a database, with their tables; close it at the end of the block.

    ``address`` and errors are those of ``open_database``.
    """
    async with open_database(address) as db:
        yield engine_of(db)


def engine_of(db: SqlDatabase, *, lease: timedelta | float = DEFAULT_LEASE, clock: WallClock = utc_now) -> JobEngine:
    """Return the engine that keeps jobs in an open database; ``lease`` is how long a hung worker keeps its jobs."""
    if isinstance(db, Database):
        return SqliteJobEngine(db, lease=lease, clock=clock)
    from tetherpy.database import PostgresDatabase

    from .postgres import PostgresJobEngine

    if isinstance(db, PostgresDatabase):
        return PostgresJobEngine(db, lease=lease, clock=clock)
    raise JobArgumentError("db", db, "it must be a Database or a PostgresDatabase")


def store_of(source: SqlDatabase | JobStore) -> JobStore:
    """Return the engine of an open database, or the engine itself."""
    return engine_of(source) if _is_database(source) else cast("JobStore", source)


def _is_database(source: SqlDatabase | JobStore) -> TypeGuard[SqlDatabase]:
    return hasattr(source, "transaction")
