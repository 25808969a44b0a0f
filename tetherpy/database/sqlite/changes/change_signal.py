"""The bell: a file beside the database that every committing process touches, for others to hear."""

import errno
import logging
import os
import stat
from pathlib import Path
from typing import Self

import attrs

from ...errors import DatabaseOpenError

LOG = logging.getLogger("tetherpy.database")


@attrs.define(eq=False)
class ChangeSignal:
    """``<database>-signal``, one byte of no meaning: only that it was written counts.

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
        change_signal = cls(database, database.with_name(database.name + "-signal"))
        try:
            change_signal._fd = change_signal.open()
        except OSError as error:
            reason = f"its bell {str(change_signal.path)!r}, which signals changes, cannot be used ({error.strerror})"
            raise DatabaseOpenError(database, reason, "delete that file, or let this user write it") from error
        return change_signal

    def open(self) -> int:
        """Return a descriptor of the bell file, made if need be for all who may write the database.

        In a folder that others may write, another user may have made the file first. Raises ``PermissionError``
        for what is no plain file of one name, or belongs to a user who may not write the database.
        """
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise _distrust(self.path, "it is a symbolic link") from error
            raise
        try:
            self._check(fd)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def _check(self, fd: int) -> None:
        """Demand a file that harms nobody if it is written, and give it the owner and mode of the database."""
        found, database = os.fstat(fd), os.stat(self._database)
        if not stat.S_ISREG(found.st_mode):
            raise _distrust(self.path, "it is no plain file")
        if found.st_nlink > 1:
            raise _distrust(self.path, "the file has other names too")
        me = os.geteuid()
        if found.st_uid not in (me, database.st_uid, 0) and not database.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise _distrust(self.path, f"it belongs to user {found.st_uid}, who may not write the database")
        if me == 0 and found.st_uid == 0 and database.st_uid != 0:
            os.fchown(fd, database.st_uid, database.st_gid)  # as SQLite does with its log
        if me in (0, found.st_uid) and stat.S_IMODE(found.st_mode) != database.st_mode & 0o666:
            os.fchmod(fd, database.st_mode & 0o666)

    def send(self) -> None:
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


def _distrust(path: Path, reason: str) -> PermissionError:
    return PermissionError(errno.EPERM, reason, str(path))
