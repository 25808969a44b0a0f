"""From what SQLite reports to the error that says what to do."""

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
    """Return the error that says what to do, or None where SQLite's own word is the best one."""
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
    """Explain an error of the connection that only reads."""
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY:
        return WriteOnReaderError()
    return explain(error, path, busy_timeout)
