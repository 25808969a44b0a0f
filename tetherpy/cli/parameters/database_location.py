"""The one place that finds out which database is meant."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DatabaseUnknownError, FolderError, NoDatabaseError, NoJobTablesError
from .project import find_project

if TYPE_CHECKING:
    from tetherpy.jobs import JobEngine


def find_database(given: str | None) -> str:
    """Return the path or URL of the database that is meant.

    ``given`` is what ``--database`` says, or else ``TETHERPY_DATABASE``; without either it is the one of the
    nearest ``tether.yaml``. Raises ``DatabaseUnknownError`` if there is none.
    """
    if given:
        # A variable's or a file's ~ is expanded by no shell.
        return str(Path(given).expanduser()) if is_file(given) else given
    project = find_project()
    if project is None:
        raise DatabaseUnknownError
    return project.database


@asynccontextmanager
async def existing_jobs(given: str | None) -> AsyncGenerator[JobEngine]:
    """Open the jobs of the database that is meant, for a command that looks and so makes none.

    Raises ``NoDatabaseError``, ``NoJobTablesError`` and whatever ``open_engine`` does.
    """
    from tetherpy.jobs import open_engine

    async with open_engine(existing_database(given)) as engine:
        yield engine


def existing_file(given: str | None) -> str:
    """Return the database that is meant; if it is no file that is there, ``NoDatabaseError`` or ``FolderError``."""
    database = find_database(given)
    if is_file(database):
        if Path(database).is_dir():
            raise FolderError(database)
        if not Path(database).exists():
            raise NoDatabaseError(database)
    return database


def existing_database(given: str | None) -> str:
    """Return the database that is meant, if it is there and has job tables.

    Raises ``NoDatabaseError``, ``NoJobTablesError`` and whatever ``applied_migrations`` does.
    """
    database = existing_file(given)
    if is_file(database):
        from tetherpy.database import applied_migrations
        from tetherpy.jobs import JOB_MIGRATIONS

        if all(applied.namespace != JOB_MIGRATIONS[0].namespace for applied in applied_migrations(database)):
            raise NoJobTablesError(database)
    return database


def is_file(database: str) -> bool:
    """Tell whether a database is a file, and not somewhere on a network."""
    return "://" not in database
