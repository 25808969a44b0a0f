"""A read-only ``sqlite3`` connection for short reads without an event loop."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import timedelta

from tetherpy.durations import to_seconds

from .addresses import Address, sqlite_path
from .sqlite.open_files import OpenFile, check_not_inherited


@contextmanager
def read_only(address: Address, *, busy_timeout: timedelta | float = 5.0) -> Generator[sqlite3.Connection]:
    """Open an existing SQLite file for reading only; wait ``busy_timeout`` at most for a lock.

    The file is neither switched to WAL nor given internal tables. Raises ``sqlite3.Error``, and
    ``DatabaseForkedError`` if a parent of this process had the file open when it forked.
    """
    seconds = to_seconds("busy_timeout", busy_timeout)
    path = sqlite_path(address)
    check_not_inherited(path)
    file = OpenFile(path)
    try:
        # With mode=ro, which needs a URI, SQLite does not create a missing file.
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=seconds)) as connection:
            file.opened()
            yield connection
    finally:
        file.closed()
