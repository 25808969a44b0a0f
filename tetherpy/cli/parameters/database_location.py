"""Find the database of a command."""

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
    """Return the path or URL of the database.

    ``given`` is the value of ``--database`` or ``TETHERPY_DATABASE``; without either the nearest ``tether.yaml``
    names it. Raises ``DatabaseUnknownError`` if nothing names one.
    """
    database = given or _of_project()
    # Shells do not expand ~ in variables and files.
    return str(Path(database).expanduser()) if is_file(database) else database


def _of_project() -> str:
    project = find_project()
    if project is None:
        raise DatabaseUnknownError
    return project.database


@asynccontextmanager
async def existing_jobs(given: str | None) -> AsyncGenerator[JobEngine]:
    """Open the jobs of an existing database.

    Raises ``NoDatabaseError``, ``NoJobTablesError`` and the errors of ``open_engine``.
    """
    from tetherpy.jobs import open_engine

    async with open_engine(existing_database(given)) as engine:
        yield engine


def existing_file(given: str | None) -> str:
    """Return the database; raises ``NoDatabaseError`` or ``FolderError`` if it is not a URL or an existing file."""
    database = find_database(given)
    if is_file(database):
        if Path(database).is_dir():
            raise FolderError(database)
        if not Path(database).exists():
            raise NoDatabaseError(database)
    return database


def existing_database(given: str | None) -> str:
    """Return the database, if it exists and has job tables.

    Raises ``NoDatabaseError``, ``NoJobTablesError`` and the errors of ``applied_migrations``.
    """
    database = existing_file(given)
    if is_file(database):
        from tetherpy.database import applied_migrations
        from tetherpy.jobs import JOB_MIGRATIONS

        if all(applied.namespace != JOB_MIGRATIONS[0].namespace for applied in applied_migrations(database)):
            raise NoJobTablesError(database)
    return database


def is_file(database: str) -> bool:
    """Whether a database is a file, and not a URL."""
    return "://" not in database
