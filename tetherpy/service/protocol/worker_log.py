"""The log of the workers' output, rotated at a maximum size."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import attrs

from ..errors import ServiceFolderError
from .locks import is_in_place
from .service_files import create_in, open_own

MAX_LOG_BYTES = 4 << 20
"""Maximum bytes of the current file; one older file of that size is kept too."""


@attrs.define(eq=False)
class WorkerLog:
    """Append to a file; a full one is rotated and replaces the older one.

    If a write fails, as on a full disk, the output is dropped and counted. With ``standard_streams``, descriptors 1
    and 2 of this process lead to the current file too.
    """

    path: Path
    limit: int = MAX_LOG_BYTES
    standard_streams: bool = False
    _descriptor: int = attrs.field(init=False, default=-1)
    _size: int = attrs.field(init=False, default=0)
    _dropped: int = attrs.field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self._open()

    def write(self, data: bytes) -> None:
        """Append data; it may be split between two files."""
        try:
            if self._dropped:
                self._append(f"tetherpy: {self._dropped} bytes of output could not be stored\n".encode())
                self._dropped = 0
            self._append(data)
        except (OSError, ServiceFolderError):
            self._dropped += len(data)

    def reopen_if_moved(self) -> None:
        """Open the path again if the file was deleted or replaced."""
        if not is_in_place(self._descriptor, self.path):
            self._reopen()

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _append(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            if self._size >= self.limit:
                self._rotate()
            written = os.write(self._descriptor, view[: max(self.limit - self._size, 1)])
            self._size += written
            view = view[written:]

    def _rotate(self) -> None:
        with contextlib.suppress(FileNotFoundError):  # deleted; a new file is created
            self.path.replace(self.path.with_name(self.path.name + ".1"))
        self._reopen()

    def _reopen(self) -> None:
        old = self._descriptor
        self._open()
        os.close(old)

    def _open(self) -> None:
        self._descriptor = open_log(self.path)
        self._size = os.fstat(self._descriptor).st_size
        if self.standard_streams:
            os.dup2(self._descriptor, 1)
            os.dup2(self._descriptor, 2)


def open_log(path: Path) -> int:
    """Open the log for appending, creating it if needed; raises ``ServiceFolderError`` if it is a symbolic link."""
    return create_in(path.parent, lambda: open_own(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND))


def size_of(path: Path) -> int:
    """Return the size of the log in bytes, 0 if it does not exist."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def log_tail(path: Path, since: int, limit: int = 4096) -> str:
    """Return the log after the byte ``since``, at most the last ``limit`` bytes."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            # A file shorter than before has been rotated: all of it is new.
            start = since if since <= size else 0
            file.seek(max(start, size - limit))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
