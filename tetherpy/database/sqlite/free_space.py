"""Giving the space of deleted rows back to the disk, a little at a time."""

import logging
import math
import sqlite3
import time
from pathlib import Path

import attrs

from .changes.table_access import CHANGES_TABLE
from .changes.table_versions import raised
from .connection import TrackedConnection

LOG = logging.getLogger("tetherpy.database")

INCREMENTAL_VACUUM = 2
"""What ``PRAGMA auto_vacuum`` says of a file whose free pages can be cut off without copying it."""
CHECK_SECONDS = 1.0
"""Free pages are counted this often at most."""
FEW_PAGES = 1024
"""So many free pages, about 4 MiB, are always kept: rows to come need them."""
KEPT_SHARE = 4
"""A file keeps this part of its pages free: a quarter."""
PAGES_AT_ONCE = 2000
"""About 8 MiB: this moves in some hundredths of a second, during which other writers wait."""


@attrs.define
class FreeSpace:
    """Cut off free pages of one file while there are many."""

    _database: Path
    _check_at: float = 0.0

    def release_space(self, connection: TrackedConnection) -> None:
        """Look at the free pages, on the writer's thread after a commit; an error is logged, for the commit stands."""
        now = time.monotonic()
        if now < self._check_at:
            return
        self._check_at = now + CHECK_SECONDS
        try:
            if is_much_free_space(connection.control("PRAGMA freelist_count"), connection.control("PRAGMA page_count")):
                if connection.control("PRAGMA auto_vacuum") == INCREMENTAL_VACUUM:
                    _cut_off(connection)
                else:
                    self._check_at = math.inf  # only VACUUM can shrink it, which doctor says
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                return  # another process writes at the moment
            LOG.warning("could not give free space of %s back: %s", self._database, error)


def is_much_free_space(free: int, pages: int) -> bool:
    """Tell whether so many of a file's pages are free that they should be given back."""
    return free > FEW_PAGES and free * KEPT_SHARE > pages


def _cut_off(connection: TrackedConnection) -> None:
    try:
        # A script, because sqlite3 runs only the first page's step of this pragma otherwise. Without a counter it
        # would be the commit of an unknown writer, after which all queries run again.
        sqlite3.Connection.executescript(
            connection,
            f"BEGIN IMMEDIATE; PRAGMA incremental_vacuum({PAGES_AT_ONCE}); {raised(CHANGES_TABLE)}; COMMIT",
        )
    except BaseException:
        if connection.in_transaction:
            connection.control("ROLLBACK")
        raise
