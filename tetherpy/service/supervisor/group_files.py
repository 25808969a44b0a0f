"""The lock and socket of a running service: checked periodically, and created again when they are deleted."""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import Callable

import attrs

from ..app.launch import listen
from ..protocol.locks import is_in_place, sign, signer_of, try_lock, unlock
from ..protocol.private_descriptors import close_private
from ..protocol.service_files import ServiceFiles

TOUCH_SECONDS = 3600.0
"""Interval of updating the times of the files: cleaners of temporary folders delete old files."""


@attrs.define(eq=False)
class GroupFiles:
    """The lock and the socket of the group.

    ``renew`` creates deleted files again. It returns the reason why this process must end if it cannot: the database
    was deleted, or another process is its service now.
    """

    files: ServiceFiles
    lock: int
    clock: Callable[[], float] = time.monotonic
    _socket: os.stat_result | None = attrs.field(init=False, default=None)
    _had_database: bool = attrs.field(init=False, default=False)
    _lock_lost: bool = attrs.field(init=False, default=False)
    _touched: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        sign(self.lock)
        self._touched = self.clock()
        self._socket = self._found_socket()

    def renew(self, accept_on: Callable[[socket.socket], None]) -> str | None:
        """Check the files and create missing ones again; a new listening socket is passed to ``accept_on``.

        Return the reason why this process is no longer the service, or None. Raises ``OSError`` and
        ``ServiceFolderError`` if a file cannot be created now.
        """
        if self._had_database and self.files.database_is_missing:
            return self.lost_database
        self.files.create()
        if is_in_place(self.lock, self.files.group_lock):
            self._lock_lost = False
        elif (reason := self._lock_again()) is not None or self._lock_lost:
            return reason
        if not self._socket_is_ours():
            accept_on(listen(self.files))
            self._socket = self._found_socket()
        self._touch()
        return None

    @property
    def lost_database(self) -> str:
        """Return the message for a deleted database."""
        return f"the database file {self.files.name!r} was deleted"

    def expect_database(self) -> None:
        """Treat a missing database as deleted from now on, because the workers have opened it."""
        self._had_database = not self.files.database_is_missing

    def remove_socket(self) -> None:
        """Remove the socket, unless it belongs to another process."""
        if self._socket_is_ours():
            self.files.socket.unlink(missing_ok=True)

    def unlock(self) -> None:
        """Release the lock."""
        unlock(self.lock)

    def release(self) -> None:
        """Close the lock's descriptor without unlocking: for a forked child."""
        close_private(self.lock)

    def _lock_again(self) -> str | None:
        fresh = try_lock(self.files.group_lock)
        if fresh is None:
            self._lock_lost = True
            # A lock without a signature is held by a process that checks for a service or starts one.
            holder = signer_of(self.files.group_lock)
            return None if holder is None else f"another service (process {holder}) runs for {self.files.name}"
        sign(fresh)
        unlock(self.lock)
        self.lock = fresh
        self._lock_lost = False
        return None

    def _socket_is_ours(self) -> bool:
        found = self._found_socket()
        return found is not None and self._socket is not None and os.path.samestat(found, self._socket)

    def _found_socket(self) -> os.stat_result | None:
        try:
            found = os.lstat(self.files.socket)
        except FileNotFoundError:
            return None
        return found if stat.S_ISSOCK(found.st_mode) else None

    def _touch(self) -> None:
        if self.clock() - self._touched < TOUCH_SECONDS:
            return
        self._touched = self.clock()
        touch_all(self.files.group_lock, self.files.socket, self.files.log, self.files.folder)


def touch_all(*paths: os.PathLike[str]) -> None:
    """Update the times of files; missing ones are skipped."""
    for path in paths:
        try:
            os.utime(path, follow_symlinks=False)
        except FileNotFoundError:
            continue
