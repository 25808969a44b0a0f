"""The bell: a file beside the database that every committing process touches, for others to hear."""

import logging
import os
from pathlib import Path
from typing import Self

import attrs

from .errors import DatabaseOpenError

LOG = logging.getLogger("tetherpy.database")


@attrs.define(eq=False)
class Bell:
    """``<database>-bell``, one byte of no meaning: only that it was written counts.

    It is written after the commit, so who hears it can see the commit; watching SQLite's own log does not
    have this property (it is written before it becomes visible). Losing the file loses no data: it is made
    again.
    """

    _database: Path
    path: Path
    _fd: int = -1

    @classmethod
    def of(cls, database: Path) -> Self:
        """Return the bell of a database, made if it is not there."""
        bell = cls(database, database.with_name(database.name + "-bell"))
        try:
            bell._fd = bell.open()
        except OSError as error:
            reason = f"its bell {str(bell.path)!r} cannot be opened ({error.strerror})"
            raise DatabaseOpenError(database, reason, "let this user write it, or delete it") from error
        return bell

    def open(self) -> int:
        """Return a descriptor of the bell file, made if need be for all who may write the database."""
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            return os.open(self.path, os.O_RDWR | os.O_CREAT)
        self.path.chmod(self._database.stat().st_mode & 0o666)
        return fd

    def ring(self) -> None:
        """Tell every process that something was committed; called on the writer's thread.

        The commit stands even if this fails: that is logged, and listeners find it by their safety net.
        """
        try:
            if os.fstat(self._fd).st_nlink == 0:
                deleted, self._fd = self._fd, self.open()
                os.close(deleted)
            os.lseek(self._fd, 0, os.SEEK_SET)
            os.write(self._fd, b"!")
        except OSError as error:
            LOG.warning("could not ring %s: %s", self.path, error)

    def close(self) -> None:
        """Close the file; it stays, for the other processes."""
        os.close(self._fd)
        self._fd = -1
