"""Waits for SQLite's lock, in slices: a wait inside SQLite cannot be interrupted."""

import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: How long SQLite waits before we check whether the lock is still wanted.
BUSY_SLICE_MS = 100
_PAUSE = 0.001


def always() -> bool:
    """Return True."""
    return True


def within_busy_timeout(attempt: Callable[[], T], busy_timeout: float, wanted: Callable[[], bool] = always) -> T:
    """Repeat ``attempt`` while SQLite is busy and ``wanted()`` is true, for at most ``busy_timeout`` seconds.

    Some steps (switching to WAL, opening a file that another process opens) do not wait inside SQLite at all; the
    others wait there for one slice at a time.
    """
    deadline = time.monotonic() + busy_timeout
    while True:
        try:
            return attempt()
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() >= deadline or not wanted():
                raise
        time.sleep(_PAUSE)
