"""The database files that this process has open, and what a fork and a deletion make of them.

A forked child must not use what its parent has open. SQLite notes the locks of a process in the memory of that
process; the system does not pass the locks themselves to a child. A child that opens such a file finds its
parent's locks noted, takes none, and other processes may delete the log that it writes to
(sqlite.org/howtocorrupt.html, section 2.6).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

import attrs

from ..errors import DatabaseForkedError, DatabaseReplacedError

FileId: TypeAlias = tuple[int, int]
"""Device and number of a file: what stays the same under another name."""

_open: set[OpenFile] = set()


@attrs.define(eq=False)
class OpenFile:
    """One connection's file, from before it is opened until after it is closed."""

    path: Path
    _pid: int = attrs.field(init=False, factory=os.getpid)
    _id: FileId | None = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        _open.add(self)

    @property
    def is_inherited(self) -> bool:
        """Whether a parent of this process opened it."""
        return self._pid != os.getpid()

    @property
    def is_replaced(self) -> bool:
        """Whether its name no longer leads to it: it was deleted, moved, or another file put in its place."""
        try:
            return self._id is not None and file_id(self.path) != self._id
        except OSError:  # a folder that cannot be searched at the moment says nothing about the file
            return False

    def opened(self) -> None:
        """Note which file it is, now that SQLite has created it."""
        self._id = file_id(self.path)

    def closed(self) -> None:
        """Forget it."""
        _open.discard(self)

    def check_process(self) -> None:
        """Raise ``DatabaseForkedError`` in a child of the process that opened it."""
        if self.is_inherited:
            raise DatabaseForkedError(self.path)

    def check_name(self) -> None:
        """Raise ``DatabaseReplacedError`` if its name no longer leads to it."""
        if self.is_replaced:
            raise DatabaseReplacedError(self.path)

    def is_the_file_at(self, path: Path) -> bool:
        """Tell whether a path leads to this file."""
        return path == self.path if self._id is None else file_id(path) == self._id


def file_id(path: Path) -> FileId | None:
    """Return which file a path leads to, or None if there is none; raises other errors of ``os.stat``."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino


def check_not_inherited(path: Path) -> None:
    """Raise ``DatabaseForkedError`` if a parent of this process had the file open when it forked."""
    if any(file.is_inherited and file.is_the_file_at(path) for file in _open):
        raise DatabaseForkedError(path)
