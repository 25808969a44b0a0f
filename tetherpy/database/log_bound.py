"""Keeping the write-ahead log from growing without end while reads overlap."""

import logging
import os
import sqlite3
import time
from pathlib import Path

import attrs

from .connection import LARGE_LOG_BYTES, TrackedConnection
from .patience import BUSY_SLICE_MS

LOG = logging.getLogger("tetherpy.database")

LOOK_SECONDS = 0.1
"""The size is looked at this often at most."""
WAIT_MS = 1000
"""How long a checkpoint waits for the reads under way; other writers wait as long."""
AGAIN_SECONDS = 10.0
"""After a checkpoint that found longer reads the next one waits for this long."""


@attrs.define
class LogBound:
    """Begin the log again once it is large.

    SQLite begins it again only in a moment in which no read needs it. While reads overlap there is no such moment:
    the log grows, and every read has to search it. A RESTART checkpoint lets reads that begin now do without the
    log, and so has to wait only for those under way (sqlite.org/c3ref/wal_checkpoint_v2.html).
    """

    _database: Path
    _log: Path = attrs.field(init=False)
    _look_at: float = 0.0

    def __attrs_post_init__(self) -> None:
        self._log = self._database.with_name(self._database.name + "-wal")

    def keep(self, connection: TrackedConnection) -> None:
        """Look at the size, on the writer's thread after a commit; an error is logged, for the commit stands."""
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        try:
            size = os.stat(self._log).st_size
            if size >= LARGE_LOG_BYTES and not _begin_again(connection):
                self._look_at = time.monotonic() + AGAIN_SECONDS
                LOG.warning(
                    "the log of %s has %d MiB: reads of more than %g s keep it from being begun again; "
                    "shorten them, or find the process: fuser -v %s",
                    self._database,
                    size >> 20,
                    WAIT_MS / 1000,
                    self._log,
                )
        except FileNotFoundError:
            return  # with the database; the next call says so
        except (OSError, sqlite3.Error) as error:
            self._look_at = time.monotonic() + AGAIN_SECONDS
            LOG.warning("could not bound the log of %s: %s", self._database, error)


def _begin_again(connection: TrackedConnection) -> bool:
    connection.control(f"PRAGMA busy_timeout = {WAIT_MS}")
    try:
        return not connection.control("PRAGMA wal_checkpoint(RESTART)")
    finally:
        connection.control(f"PRAGMA busy_timeout = {BUSY_SLICE_MS}")
