"""Incremental vacuum: return the space of deleted rows to the disk in small steps."""

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
"""The value of ``PRAGMA auto_vacuum`` for a file that can be truncated without copying it."""
CHECK_SECONDS = 1.0
"""Minimum seconds between two counts of the free pages."""
FEW_PAGES = 1024
"""This many free pages, about 4 MiB, are always kept for new rows."""
KEPT_SHARE = 4
"""Pages are removed only while more than one in ``KEPT_SHARE`` is free."""
PAGES_AT_ONCE = 2000
"""About 8 MiB: a step takes a few hundredths of a second, during which other writers wait."""


@attrs.define
class FreeSpace:
    """Truncate one file while many of its pages are free."""

    _database: Path
    _check_at: float = 0.0

    def release_space(self, connection: TrackedConnection) -> None:
        """Count the free pages and remove some if there are many.

        Runs on the writer's thread after a commit. The commit is done, so an error is logged and not raised.
        """
        now = time.monotonic()
        if now < self._check_at:
            return
        self._check_at = now + CHECK_SECONDS
        try:
            if is_much_free_space(connection.control("PRAGMA freelist_count"), connection.control("PRAGMA page_count")):
                if connection.control("PRAGMA auto_vacuum") == INCREMENTAL_VACUUM:
                    _cut_off(connection)
                else:
                    self._check_at = math.inf  # only VACUUM can shrink it; "tetherpy doctor" reports this
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                return  # another process is writing
            LOG.warning("could not release free space of %s: %s", self._database, error)


def is_much_free_space(free: int, pages: int) -> bool:
    """Tell whether a file has enough free pages to release some."""
    return free > FEW_PAGES and free * KEPT_SHARE > pages


def _cut_off(connection: TrackedConnection) -> None:
    try:
        # A script, because execute() runs only the first step of this pragma, which moves one page. The raised version
        # tells readers which table changed; otherwise they would run all live queries again.
        sqlite3.Connection.executescript(
            connection,
            f"BEGIN IMMEDIATE; PRAGMA incremental_vacuum({PAGES_AT_ONCE}); {raised(CHANGES_TABLE)}; COMMIT",
        )
    except BaseException:
        if connection.in_transaction:
            connection.control("ROLLBACK")
        raise
