"""Where the service of one database keeps its lock, socket, log and worker locks on this machine."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import attrs

from tetherpy.database import Address, is_postgres, is_url, redacted, sqlite_path

from ..errors import ServiceFolderError, UnsupportedDatabaseError

_REMOVE = "Make sure that no service runs, then remove the folder; it is made again"

_SOCKET_PATH_LIMIT = 100
"""Bytes that every platform's sun_path takes (macOS: 104, Linux: 108, both with a final NUL)."""


@attrs.frozen
class ServiceFiles:
    """Name the files of one database's service: all in one folder.

    It is beside an SQLite file, so all who use that share it. A server's is in this user's folder for state
    (``XDG_STATE_HOME``, ``~/.local/state``), under a name made of the URL without its password: each
    machine has a service of its own for the database. ``address`` is what opens the database.
    """

    address: str = attrs.field(repr=redacted)
    folder: Path

    @classmethod
    def of(cls, database: Address) -> ServiceFiles:
        """Find the files of a database; every spelling of its path gives the same ones.

        Raises ``UnsupportedDatabaseError`` for a URL that is not PostgreSQL's, ``DatabaseAddressError`` for
        what is no path either.
        """
        if is_postgres(database):
            return cls(os.fspath(database), _state_home() / "tetherpy" / f"{_label(database)}-service")
        if is_url(database):
            raise UnsupportedDatabaseError(redacted(database))
        path = sqlite_path(database)
        return cls(str(path), path.with_name(path.name + "-service"))

    @property
    def name(self) -> str:
        """Return the database's address without its password."""
        return redacted(self.address)

    @property
    def database_is_missing(self) -> bool:
        """Whether the database is a file that is not there; a server's never is."""
        return not is_url(self.address) and not os.path.exists(self.address)

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
        """Create the folder, for this user alone: messages and logs may hold what is private.

        Raises ``ServiceFolderError`` for one that another user made or may write: the files in it would be theirs.
        """
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True, parents=is_url(self.address))
            self._check_folder()
        except OSError as error:
            raise ServiceFolderError(str(self.folder), error.strerror or str(error)) from error

    def _check_folder(self) -> None:
        user = os.geteuid()
        found = os.stat(self.folder)
        for owner in (os.lstat(self.folder).st_uid, found.st_uid):
            if owner != user:
                raise ServiceFolderError(
                    str(self.folder), f"it belongs to user {owner}, and this process is user {user}", _REMOVE
                )
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            mode = f"other users may write in it (mode {stat.S_IMODE(found.st_mode):04o})"
            raise ServiceFolderError(str(self.folder), mode, _REMOVE)
        if stat.S_IMODE(found.st_mode) & 0o077:
            self.folder.chmod(0o700)

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


def open_own(path: Path, flags: int) -> int:
    """Open one of the service's files; ``ServiceFolderError`` if it is a symbolic link: its target is another file."""
    try:
        return os.open(path, flags | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise ServiceFolderError(str(path.parent), f"{path.name} is a symbolic link", _REMOVE) from error


def _state_home() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser()


def _label(url: Address) -> str:
    """Return a name for a URL's folder: the database's, and what tells it from another of that name."""
    text = redacted(url)
    name = "".join(letter for letter in urlsplit(text).path if letter.isalnum() or letter in "_-")
    return f"{name[:40] or 'postgres'}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
