"""Keeping the write-ahead log from growing without end while reads overlap."""

import logging
import os
import sqlite3
import time
from pathlib import Path

import attrs

from .busy_timeout import BUSY_SLICE_MS
from .connection import LARGE_LOG_BYTES, TrackedConnection

LOG = logging.getLogger("tetherpy.database")

FRAME_HEAD_BYTES = 24
"""A frame of the log is this and a page."""
CHECK_SECONDS = 0.1
"""The size is looked at this often at most."""
LONG_READ_SECONDS = 1.0
"""A read that takes longer is not waited for."""
WAIT_MS = 1000
"""How long a checkpoint waits for the reads under way; other writers wait as long."""
AGAIN_SECONDS = 10.0
"""After a long read was found the next look waits for this long."""


@attrs.define
class WalBound:
    """Begin the log again once it is large.

    SQLite begins it again only in a moment in which no read needs it. While reads overlap there is no such moment:
    the log grows, and every read has to search it. A RESTART checkpoint lets reads that begin now do without the
    log, and so has to wait only for those under way (sqlite.org/c3ref/wal_checkpoint_v2.html).

    All writers wait while it waits, and each process that writes has such a bound. So it runs only when no read is
    long. A PASSIVE checkpoint shows this without waiting: it copies all frames that no read under way prevents.
    Frames that were there ``LONG_READ_SECONDS`` ago and still cannot be copied are kept by a long read.
    """

    _database: Path
    _log: Path = attrs.field(init=False)
    _check_at: float = 0.0
    _frames: int | None = None
    """The frames of a large log when it was found."""

    def __attrs_post_init__(self) -> None:
        self._log = self._database.with_name(self._database.name + "-wal")

    def keep(self, connection: TrackedConnection) -> None:
        """Look at the size, on the writer's thread after a commit; an error is logged, for the commit stands."""
        now = time.monotonic()
        if now < self._check_at:
            return
        self._check_at = now + CHECK_SECONDS
        try:
            size = os.stat(self._log).st_size
            if size >= LARGE_LOG_BYTES:
                self._bound(connection)
            else:
                self._frames = None
        except FileNotFoundError:
            return  # with the database; the next call says so
        except (OSError, sqlite3.Error) as error:
            self._check_at = time.monotonic() + AGAIN_SECONDS
            LOG.warning("could not bound the log of %s: %s", self._database, error)

    def _bound(self, connection: TrackedConnection) -> None:
        busy, frames, copied = _checkpoint(connection, "PASSIVE")
        if busy:
            return  # another process makes one at the moment
        before, self._frames = self._frames, None
        size = frames * (FRAME_HEAD_BYTES + connection.control("PRAGMA page_size"))
        if size < LARGE_LOG_BYTES:
            return  # it was begun again, and its file still has the old size
        if before is None or frames < before:
            self._frames = frames
            self._check_at = time.monotonic() + LONG_READ_SECONDS
        elif copied < before or not _begin_again(connection):
            self._check_at = time.monotonic() + AGAIN_SECONDS
            LOG.warning(
                "the log of %s has %d MiB: reads of more than %g s keep it from being begun again; "
                "shorten them, or find the process: fuser -v %s",
                self._database,
                size >> 20,
                LONG_READ_SECONDS,
                self._log,
            )


def _begin_again(connection: TrackedConnection) -> bool:
    connection.control(f"PRAGMA busy_timeout = {WAIT_MS}")
    try:
        busy, _, _ = _checkpoint(connection, "RESTART")
        return not busy
    finally:
        connection.control(f"PRAGMA busy_timeout = {BUSY_SLICE_MS}")


def _checkpoint(connection: TrackedConnection, mode: str) -> tuple[int, int, int]:
    """Return whether it was kept from finishing, the frames of the log, and how many of them were copied."""
    busy, frames, copied = sqlite3.Connection.execute(connection, f"PRAGMA wal_checkpoint({mode})").fetchone()
    return busy, frames, copied
