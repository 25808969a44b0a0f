"""Bound on the size of the write-ahead log while reads overlap."""

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
"""A frame of the log has this header and one page."""
CHECK_SECONDS = 0.1
"""Minimum seconds between two checks of the size."""
LONG_READ_SECONDS = 1.0
"""A checkpoint does not wait for reads that take longer."""
WAIT_MS = 1000
"""How long a checkpoint waits for active reads; other writers wait as long."""
AGAIN_SECONDS = 10.0
"""Pause before the next check after a long read was found."""


@attrs.define
class WalBound:
    """Reset the log when it is large.

    SQLite resets the log only when no read needs it. While reads overlap this never happens: the log grows, and every
    read has to search it. A RESTART checkpoint makes new reads do without the log, so it waits only for active ones
    (sqlite.org/c3ref/wal_checkpoint_v2.html).

    All writers wait during that checkpoint, and each writing process has such a bound. So it runs only while there
    are no long reads. A PASSIVE checkpoint detects them without waiting: it copies all frames that no active read
    needs. A frame that is ``LONG_READ_SECONDS`` old and cannot be copied is needed by a long read.
    """

    _database: Path
    _log: Path = attrs.field(init=False)
    _check_at: float = 0.0
    _frames: int | None = None
    """The number of frames when the log was found to be large."""

    def __attrs_post_init__(self) -> None:
        self._log = self._database.with_name(self._database.name + "-wal")

    def keep(self, connection: TrackedConnection) -> None:
        """Check the size and reset the log if it is large.

        Runs on the writer's thread after a commit. The commit is done, so an error is logged and not raised.
        """
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
            return  # deleted with the database; the next call raises DatabaseReplacedError
        except (OSError, sqlite3.Error) as error:
            self._check_at = time.monotonic() + AGAIN_SECONDS
            LOG.warning("could not bound the log of %s: %s", self._database, error)

    def _bound(self, connection: TrackedConnection) -> None:
        busy, frames, copied = _checkpoint(connection, "PASSIVE")
        if busy:
            return  # another process is running a checkpoint
        before, self._frames = self._frames, None
        size = frames * (FRAME_HEAD_BYTES + connection.control("PRAGMA page_size"))
        if size < LARGE_LOG_BYTES:
            return  # the log was reset, and its file still has the old size
        if before is None or frames < before:
            self._frames = frames
            self._check_at = time.monotonic() + LONG_READ_SECONDS
        elif copied < before or not _begin_again(connection):
            self._check_at = time.monotonic() + AGAIN_SECONDS
            LOG.warning(
                "the write-ahead log of %s has %d MiB: reads of more than %g s keep it from being reset; "
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
    """Run a checkpoint; return whether it was blocked, the number of frames in the log, and of copied frames."""
    busy, frames, copied = sqlite3.Connection.execute(connection, f"PRAGMA wal_checkpoint({mode})").fetchone()
    return busy, frames, copied
