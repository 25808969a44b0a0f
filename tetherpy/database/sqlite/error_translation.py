"""Translation of ``sqlite3`` errors to errors of this package."""

import sqlite3
from pathlib import Path

from ..errors import (
    DatabaseCorruptError,
    DatabaseError,
    DatabaseIOError,
    DatabaseLockedError,
    DatabaseOpenError,
    DatabaseReadOnlyError,
    DiskFullError,
    NotADatabaseError,
    TransactionControlError,
    WriteOnReaderError,
)


def explain(error: sqlite3.Error, path: Path, busy_timeout: float) -> DatabaseError | None:
    """Return the ``DatabaseError`` for an error of SQLite, or None to keep the original."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    detail = f"{error.sqlite_errorname}: {error}"
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE):
        return DiskFullError(path, detail)
    match code & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return DatabaseLockedError(path, busy_timeout)
        case sqlite3.SQLITE_CORRUPT:
            return DatabaseCorruptError(path, detail)
        case sqlite3.SQLITE_NOTADB:
            return NotADatabaseError(path)
        case sqlite3.SQLITE_READONLY:
            return DatabaseReadOnlyError(path)
        case sqlite3.SQLITE_CANTOPEN:
            return DatabaseOpenError(path, str(error), "check that the file and its folder can be read and written")
        case sqlite3.SQLITE_IOERR:
            return DatabaseIOError(path, detail)
        case sqlite3.SQLITE_AUTH:
            return TransactionControlError()
        case _:
            return None


def explain_reading(error: sqlite3.Error, path: Path, busy_timeout: float) -> DatabaseError | None:
    """Translate an error of a connection that only reads, as ``explain`` does."""
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY:
        return WriteOnReaderError()
    return explain(error, path, busy_timeout)
