"""Translation of ``psycopg`` errors to errors of this package."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import psycopg

from ..errors import (
    DatabaseEncodingError,
    DatabaseError,
    DatabaseLockedError,
    DatabasePrivilegeError,
    DatabaseReadOnlyError,
    DatabaseUnavailableError,
    DiskFullError,
    StatementTimeoutError,
    TransactionConflictError,
)

_UNREACHABLE_STATES = ("08", "57P")
"""SQLSTATE classes: connection exceptions, and a server that is shutting down, crashing or starting."""
_ENDED = ("FATAL", "PANIC")
"""Severities after which the server closes the connection, such as for a session timeout."""


def is_lost(error: BaseException) -> bool:
    """Tell whether an error means that the connection is lost."""
    if isinstance(error, psycopg.InterfaceError):
        return "closed" in str(error) or "lost" in str(error)
    if not isinstance(error, psycopg.Error):
        return False
    if error.diag.severity_nonlocalized in _ENDED:
        return True
    if not isinstance(error, psycopg.OperationalError):
        return False
    return error.sqlstate is None or error.sqlstate.startswith(_UNREACHABLE_STATES)


def meaning(error: psycopg.Error, name: str) -> DatabaseError | None:
    """Return the ``DatabaseError`` for an error; None if the statement is wrong."""
    detail = str(error)
    if is_lost(error):
        return DatabaseUnavailableError(name, detail)
    match error:
        case psycopg.errors.DeadlockDetected() | psycopg.errors.SerializationFailure():
            return TransactionConflictError(name, error.diag.message_primary or detail)
        case psycopg.errors.LockNotAvailable():
            return DatabaseLockedError(name, None)
        case psycopg.errors.QueryCanceled():
            return StatementTimeoutError(name, error.diag.message_primary or detail)
        case psycopg.errors.InsufficientPrivilege():
            return DatabasePrivilegeError(name, detail)
        case psycopg.errors.ReadOnlySqlTransaction():
            return DatabaseReadOnlyError(name)
        case psycopg.errors.DiskFull():
            return DiskFullError(name, detail)
        case psycopg.errors.UntranslatableCharacter() | psycopg.errors.CharacterNotInRepertoire():
            return DatabaseEncodingError(name, detail)
        case _:
            return None


@contextmanager
def explained(name: str) -> Generator[None]:
    """Translate errors of server, role, connection and other transactions in the block; other errors pass through."""
    try:
        yield
    except psycopg.Error as error:
        explanation = meaning(error, name)
        if explanation is None:
            raise
        raise explanation from error
