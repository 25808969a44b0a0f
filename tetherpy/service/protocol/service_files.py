"""The paths of a service's lock, socket, log and worker locks on this machine."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

import attrs

from tetherpy.database import Address, is_postgres, is_url, redacted, sqlite_path

from ..errors import ServiceFolderError, UnsupportedDatabaseError

R = TypeVar("R")

_MOST_REMOVALS: Final = 5
_REMOVE = "Make sure that no service is running, then remove the folder; it is created again"

_SOCKET_PATH_LIMIT = 100
"""Bytes that fit into sun_path on every platform (macOS: 104, Linux: 108, both with a final NUL)."""


@attrs.frozen
class ServiceFiles:
    """The files of the service of one database, all in one folder.

    For an SQLite file it is next to the file, so all users of the file share it. For a server it is in the state
    folder of this user (``XDG_STATE_HOME``, ``~/.local/state``), under a name made from the URL without its password:
    each machine has a separate service for the database. ``address`` is the path or URL of the database.
    """

    address: str = attrs.field(repr=redacted)
    folder: Path

    @classmethod
    def of(cls, database: Address) -> ServiceFiles:
        """Return the files of a database, the same ones for every spelling of its path.

        Raises ``UnsupportedDatabaseError`` for a URL that is not PostgreSQL's, ``DatabaseAddressError`` for
        an invalid path.
        """
        if is_postgres(database):
            return cls(os.fspath(database), _state_home() / "tetherpy" / f"{_label(database)}-service")
        if is_url(database):
            raise UnsupportedDatabaseError(redacted(database))
        path = sqlite_path(database)
        return cls(str(path), path.with_name(path.name + "-service"))

    @property
    def name(self) -> str:
        """Return the address of the database without its password."""
        return redacted(self.address)

    @property
    def database_is_missing(self) -> bool:
        """Tell whether the database is a file that does not exist; always False for a server."""
        return not is_url(self.address) and not os.path.exists(self.address)

    @property
    def group_lock(self) -> Path:
        """Return the file that the supervisor of this database keeps locked."""
        return self.folder / "service.lock"

    @property
    def socket(self) -> Path:
        """Return the socket on which the supervisor listens."""
        return self.folder / "service.sock"

    @property
    def log(self) -> Path:
        """Return the current file of the workers' output."""
        return self.folder / "worker.log"

    def worker_lock(self, worker_id: str) -> Path:
        """Return the file that a worker keeps locked while it lives."""
        return self.folder / f"{worker_id}.worker"

    def worker_ids(self) -> frozenset[str]:
        """Return the workers that have a lock file, dead ones included."""
        return frozenset(path.stem for path in self.folder.glob("*.worker"))

    def create(self) -> None:
        """Create the folder, accessible only for this user: messages and logs may contain private data.

        Raises ``ServiceFolderError`` if it belongs to another user, or other users may write to it.
        """
        _create_folder(self.folder, parents=is_url(self.address))

    @contextmanager
    def socket_address(self) -> Generator[str]:
        """Yield an address of the socket for bind or connect that does not exceed the limit of the system."""
        if len(os.fsencode(self.socket)) <= _SOCKET_PATH_LIMIT:
            yield str(self.socket)
            return
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # Works on Linux only; other systems report that the path is too long.
            yield f"/proc/self/fd/{folder}/{self.socket.name}"
        finally:
            os.close(folder)


def open_own(path: Path, flags: int) -> int:
    """Open one of the service's files; raises ``ServiceFolderError`` if it is a symbolic link.

    To create one, use this in ``create_in``.
    """
    try:
        return os.open(path, flags | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise ServiceFolderError(str(path.parent), f"{path.name} is a symbolic link", _REMOVE) from error


def create_in(folder: Path, create: Callable[[], R]) -> R:
    """Call a function that creates a file in the folder of a service.

    A program that cleans temporary folders may remove the folder at the same time; it is created again, and the
    function called again. Raises ``ServiceFolderError`` after the fifth removal.
    """
    for _ in range(_MOST_REMOVALS):
        try:
            return create()
        except FileNotFoundError:
            _create_folder(folder)
    raise ServiceFolderError(str(folder), "another program removes it again and again")


def _create_folder(folder: Path, *, parents: bool = False) -> None:
    try:
        for _ in range(_MOST_REMOVALS):
            folder.mkdir(mode=0o700, exist_ok=True, parents=parents)
            try:
                return _check_folder(folder)
            except FileNotFoundError:
                continue
        raise ServiceFolderError(str(folder), "another program removes it again and again")
    except OSError as error:
        raise ServiceFolderError(str(folder), error.strerror or str(error)) from error


def _check_folder(folder: Path) -> None:
    user = os.geteuid()
    found = os.stat(folder)
    for owner in (os.lstat(folder).st_uid, found.st_uid):
        if owner != user:
            raise ServiceFolderError(
                str(folder), f"it belongs to user {owner}, and this process is user {user}", _REMOVE
            )
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        mode = f"other users may write to it (mode {stat.S_IMODE(found.st_mode):04o})"
        raise ServiceFolderError(str(folder), mode, _REMOVE)
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)


def _state_home() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser()


def _label(url: Address) -> str:
    """Return the name of a URL's folder: the name of the database and a hash of the URL."""
    text = redacted(url)
    name = "".join(letter for letter in urlsplit(text).path if letter.isalnum() or letter in "_-")
    return f"{name[:40] or 'postgres'}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
