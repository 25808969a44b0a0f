"""The migrations recorded in a database, read without writing to it."""

import sqlite3
from datetime import datetime

import attrs

from .addresses import Address, sqlite_path
from .migrations import TABLE
from .read_only_connection import read_only
from .sqlite.error_translation import explain

_BUSY_TIMEOUT_SECONDS = 5.0
_READ = f"SELECT namespace, version, name, checksum, applied_at FROM {TABLE} ORDER BY namespace, version"  # noqa: S608  # a constant
_HAS_RECORD = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?"


@attrs.frozen
class AppliedMigration:
    """The record of one applied migration."""

    namespace: str
    version: int
    name: str
    checksum: str
    applied_at: datetime


def applied_migrations(address: Address) -> list[AppliedMigration]:
    """Return the applied migrations of a file, by namespace and version; an empty list if it has no record of them.

    The file is opened for reading only: it is neither switched to WAL nor given internal tables. Raises
    :class:`DatabaseOpenError` if the file is missing or not a database, and other errors of reading.
    """
    path = sqlite_path(address)
    try:
        with read_only(path, busy_timeout=_BUSY_TIMEOUT_SECONDS) as connection:
            if connection.execute(_HAS_RECORD, (TABLE,)).fetchone() is None:
                return []
            rows: list[tuple[str, int, str, str, str]] = connection.execute(_READ).fetchall()
            return [AppliedMigration(*row[:4], datetime.fromisoformat(row[4])) for row in rows]
    except sqlite3.Error as error:
        explained = explain(error, path, _BUSY_TIMEOUT_SECONDS)
        if explained is None:
            raise
        raise explained from error
