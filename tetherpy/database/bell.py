"""The bell: a file beside the database that every committing process touches, for others to hear."""

import os
from pathlib import Path
from typing import Self

import attrs


@attrs.define(eq=False)
class Bell:
    """``<database>-bell``, one byte of no meaning: only that it was written counts.

    It is written after the commit, so who hears it can see the commit; watching SQLite's own log does not
    have this property (it is written before it becomes visible). Losing the file loses no data: it is made
    again.
    """

    path: Path
    _fd: int = -1

    @classmethod
    def of(cls, database: Path) -> Self:
        """Return the bell of a database, made if it is not there."""
        bell = cls(database.with_name(database.name + "-bell"))
        bell._fd = bell.open()
        return bell

    def open(self) -> int:
        """Open the bell file, made if need be, and return the descriptor."""
        return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)

    def ring(self) -> None:
        """Tell every process that something was committed; called on the writer's thread."""
        if os.fstat(self._fd).st_nlink == 0:
            os.close(self._fd)
            self._fd = self.open()
        os.pwrite(self._fd, b"!", 0)

    def close(self) -> None:
        """Close the file; it stays, for the other processes."""
        os.close(self._fd)
        self._fd = -1
