"""The database files that this process has open; detects forks and replaced files.

A forked child must not use the connections of its parent. SQLite keeps a list of the locks of a process in its
memory, which a child inherits, while it does not inherit the locks. So a child that opens such a file believes that
it holds the locks of its parent, takes none, and other processes may delete the log that it writes to
(sqlite.org/howtocorrupt.html, section 2.6).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

import attrs

from ..errors import DatabaseForkedError, DatabaseReplacedError

FileId: TypeAlias = tuple[int, int]
"""Device and inode number: they identify a file under any name."""

_open: set[OpenFile] = set()


@attrs.define(eq=False)
class OpenFile:
    """The file of one connection, from before it is opened until after it is closed."""

    path: Path
    _pid: int = attrs.field(init=False, factory=os.getpid)
    _id: FileId | None = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        _open.add(self)

    @property
    def is_inherited(self) -> bool:
        """Tell whether a parent of this process opened it."""
        return self._pid != os.getpid()

    @property
    def is_replaced(self) -> bool:
        """Tell whether the path no longer leads to it: the file was deleted, moved or replaced."""
        try:
            return self._id is not None and file_id(self.path) != self._id
        except OSError:  # the folder cannot be searched now, which tells nothing about the file
            return False

    def opened(self) -> None:
        """Record the file's identity, after SQLite has created it."""
        self._id = file_id(self.path)

    def closed(self) -> None:
        """Remove it from the open files."""
        _open.discard(self)

    def check_process(self) -> None:
        """Raise ``DatabaseForkedError`` in a child of the process that opened it."""
        if self.is_inherited:
            raise DatabaseForkedError(self.path)

    def check_name(self) -> None:
        """Raise ``DatabaseReplacedError`` if the path no longer leads to it."""
        if self.is_replaced:
            raise DatabaseReplacedError(self.path)

    def is_the_file_at(self, path: Path) -> bool:
        """Tell whether a path leads to this file."""
        return path == self.path if self._id is None else file_id(path) == self._id


def file_id(path: Path) -> FileId | None:
    """Return the identity of the file at a path, or None if it does not exist; raises other errors of ``os.stat``."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino


def check_not_inherited(path: Path) -> None:
    """Raise ``DatabaseForkedError`` if a parent of this process had the file open when it forked."""
    if any(file.is_inherited and file.is_the_file_at(path) for file in _open):
        raise DatabaseForkedError(path)
