"""What a failed call to the server means: that it cannot be reached, or something the statement earned."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import psycopg

from ..errors import DatabaseUnavailableError

_UNREACHABLE_STATES = ("08", "57P")
"""SQLSTATE classes: connection exceptions, and a server that shuts down, crashes or starts."""


def is_lost(error: BaseException) -> bool:
    """Tell whether an error means that the connection is gone."""
    if isinstance(error, psycopg.InterfaceError):
        return "closed" in str(error) or "lost" in str(error)
    if not isinstance(error, psycopg.OperationalError):
        return False
    return error.sqlstate is None or error.sqlstate.startswith(_UNREACHABLE_STATES)


@contextmanager
def explained(name: str) -> Generator[None]:
    """Raise ``DatabaseUnavailableError`` for a lost connection; what a statement earned passes through."""
    try:
        yield
    except psycopg.Error as error:
        if not is_lost(error):
            raise
        raise DatabaseUnavailableError(name, str(error)) from error
