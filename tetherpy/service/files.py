"""Where the service of one database keeps its lock, socket, log and worker locks."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import attrs

from .errors import ServiceFolderError, UnsupportedDatabaseError

_SOCKET_PATH_LIMIT = 100
"""Bytes that every platform's sun_path takes (macOS: 104, Linux: 108, both with a final NUL)."""


@attrs.frozen
class ServiceFiles:
    """Name the files of one database's service: all in one folder beside the database."""

    database: Path

    @classmethod
    def of(cls, database: str | os.PathLike[str]) -> ServiceFiles:
        """Find the files of a database; every spelling of its path gives the same ones.

        Raises ``UnsupportedDatabaseError`` for a URL.
        """
        if "://" in str(database):
            raise UnsupportedDatabaseError(str(database))
        return cls(Path(database).expanduser().resolve())

    @property
    def folder(self) -> Path:
        """Return the folder that holds the others."""
        return self.database.with_name(self.database.name + "-service")

    @property
    def group_lock(self) -> Path:
        """Return the file whose lock the one supervisor of this database holds."""
        return self.folder / "service.lock"

    @property
    def socket(self) -> Path:
        """Return the socket on which the supervisor listens."""
        return self.folder / "service.sock"

    @property
    def log(self) -> Path:
        """Return the newest file of the workers' output."""
        return self.folder / "worker.log"

    def worker_lock(self, worker_id: str) -> Path:
        """Return the file that a worker keeps locked for life."""
        return self.folder / f"{worker_id}.worker"

    def worker_ids(self) -> frozenset[str]:
        """Return the workers that have a lock file, dead ones included."""
        return frozenset(path.stem for path in self.folder.glob("*.worker"))

    def create(self) -> None:
        """Create the folder, for this user alone: messages and logs may hold what is private."""
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise ServiceFolderError(str(self.folder), error.strerror or str(error)) from error

    @contextmanager
    def socket_address(self) -> Generator[str]:
        """Give an address for bind or connect, short enough whatever the folder is called."""
        if len(os.fsencode(self.socket)) <= _SOCKET_PATH_LIMIT:
            yield str(self.socket)
            return
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # A Linux way round the limit; elsewhere the system refuses and says so.
            yield f"/proc/self/fd/{folder}/{self.socket.name}"
        finally:
            os.close(folder)
