"""The one place that finds out which database is meant."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import DatabaseUnknownError, NoDatabaseError, NoJobTablesError

if TYPE_CHECKING:
    from tetherpy.jobs import JobEngine

SETTINGS_FILE = "tether.yaml"


def find_database(given: str | None) -> str:
    """Return the path or URL of the database that is meant: what ``--database`` or ``TETHERPY_DATABASE`` says.

    Raises ``DatabaseUnknownError`` if neither does.
    """
    if given:
        return given
    raise DatabaseUnknownError


def find_settings_file() -> Path | None:
    """Return the nearest ``tether.yaml``, from the working folder upwards."""
    here = Path.cwd()
    return next((path for folder in (here, *here.parents) if (path := folder / SETTINGS_FILE).is_file()), None)


@asynccontextmanager
async def existing_jobs(given: str | None) -> AsyncGenerator[JobEngine]:
    """Open the jobs of the database that is meant, for a command that looks and so makes none.

    Raises ``NoDatabaseError``, ``NoJobTablesError`` and whatever ``open_engine`` does.
    """
    from tetherpy.jobs import open_engine

    async with open_engine(existing_database(given)) as engine:
        yield engine


def existing_database(given: str | None) -> str:
    """Return the database that is meant, if it is there and has job tables.

    Raises ``NoDatabaseError``, ``NoJobTablesError`` and whatever ``applied_migrations`` does.
    """
    database = find_database(given)
    if is_file(database):
        if not Path(database).exists():
            raise NoDatabaseError(database)
        from tetherpy.database import applied_migrations
        from tetherpy.jobs import JOB_MIGRATIONS

        if all(applied.namespace != JOB_MIGRATIONS[0].namespace for applied in applied_migrations(database)):
            raise NoJobTablesError(database)
    return database


def is_file(database: str) -> bool:
    """Tell whether a database is a file, and not somewhere on a network."""
    return "://" not in database
