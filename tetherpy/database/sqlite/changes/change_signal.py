"""The change signal file: every committing process writes to it, and the other processes watch it."""

import errno
import logging
import os
import stat
from pathlib import Path
from typing import Self

import attrs

from ...errors import DatabaseOpenError

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
LOG = logging.getLogger("tetherpy.database")


@attrs.define(eq=False)
class ChangeSignal:
    """The file ``<database>-signal``. It has one byte, whose value means nothing: only the write counts.

    It is written after the commit, so a process that sees the write also sees the commit. SQLite's log is written
    before the commit becomes visible, so watching the log would be too early. A deleted file is created again.
    """

    _database: Path
    path: Path
    _fd: int = -1

    @classmethod
    def of(cls, database: Path) -> Self:
        """Return the change signal of a database; its file is created if it is missing."""
        change_signal = cls(database, database.with_name(database.name + "-signal"))
        try:
            change_signal._fd = change_signal.open()
        except OSError as error:
            reason = f"its change signal file {str(change_signal.path)!r} cannot be used ({error.strerror})"
            raise DatabaseOpenError(database, reason, "delete that file, or make it writable for this user") from error
        return change_signal

    @property
    def log_path(self) -> Path:
        """Return the path of the database's log."""
        return self._database.with_name(self._database.name + "-wal")

    def open(self) -> int:
        """Return a descriptor of the file; a missing one is created with the permissions of the database.

        In a folder that is writable for other users, another user may have created the file first. Raises
        ``PermissionError`` if it is not a regular file with one name, or its owner may not write the database.
        """
        try:
            fd = os.open(self.path, _FLAGS, 0o600)
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
        """Check that writing to the file is harmless, and give it the owner and mode of the database."""
        found, database = os.fstat(fd), os.stat(self._database)
        if not stat.S_ISREG(found.st_mode):
            raise _distrust(self.path, "it is not a regular file")
        if found.st_nlink > 1:
            raise _distrust(self.path, "it has hard links")
        if not hasattr(os, "geteuid"):  # Windows: the folder's access list decides
            return
        me = os.geteuid()
        if found.st_uid not in (me, database.st_uid, 0) and not database.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise _distrust(self.path, f"it belongs to user {found.st_uid}, who may not write the database")
        if me == 0 and found.st_uid == 0 and database.st_uid != 0:
            os.fchown(fd, database.st_uid, database.st_gid)  # as SQLite does with its log
        if me in (0, found.st_uid) and stat.S_IMODE(found.st_mode) != database.st_mode & 0o666:
            os.fchmod(fd, database.st_mode & 0o666)

    def send(self) -> None:
        """Signal a commit to every process; called on the writer's thread.

        The commit is done, so an error is logged and not raised: listeners find the commit when they poll.
        """
        try:
            if os.fstat(self._fd).st_nlink == 0:
                deleted, self._fd = self._fd, self.open()
                os.close(deleted)
            os.lseek(self._fd, 0, os.SEEK_SET)
            os.write(self._fd, b"!")
        except OSError as error:
            LOG.warning("could not signal a commit with %s: %s", self.path, error)

    def close(self) -> None:
        """Close the file without deleting it: other processes use it."""
        os.close(self._fd)
        self._fd = -1


def _distrust(path: Path, reason: str) -> PermissionError:
    return PermissionError(errno.EPERM, reason, str(path))
