"""Waiting for a lock that another connection holds, in slices: SQLite's own wait can be neither seen nor ended."""

import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: How long SQLite waits by itself before we look whether anyone still wants the lock.
BUSY_SLICE_MS = 100
_PAUSE = 0.001


def always() -> bool:
    """Want it to the end."""
    return True


def within_busy_timeout(attempt: Callable[[], T], busy_timeout: float, wanted: Callable[[], bool] = always) -> T:
    """Return what ``attempt`` returns, trying again while SQLite is busy: ``busy_timeout`` seconds at most.

    Some steps (switching to WAL, the first look at a file while another process does) do not wait in SQLite at
    all; those that do wait there for a slice at a time.
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
