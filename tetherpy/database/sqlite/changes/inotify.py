"""A watcher with Linux's inotify, called through libc: no thread, no idle wake-ups."""

import asyncio
import contextlib
import ctypes
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Self

import attrs

from .change_signal import ChangeSignal
from .log_rechecks import LogRechecks

_IN_MODIFY = 0x2
_IN_ATTRIB = 0x4  # sent too when a link to the file is removed
_IN_MOVE_SELF = 0x800
_IN_IGNORED = 0x8000
_IN_DONT_FOLLOW = 0x2000000
_GONE = _IN_ATTRIB | _IN_MOVE_SELF | _IN_IGNORED
_EVENT = struct.Struct("iIII")


@attrs.define(eq=False)
class InotifyWatcher:
    """One inotify instance, read by the loop, that watches the change signal file and SQLite's log.

    A program that does not use tetherpy writes to the log and sends no signal. inotify reports the writes in their
    order, so a write to the log that no signal follows is perhaps the commit of such a program. ``lost`` is called
    when the watch of the signal file cannot be renewed; the log is watched if that is possible.
    """

    _change_signal: ChangeSignal
    _loop: asyncio.AbstractEventLoop
    _wake: Callable[[], None]
    _lost: Callable[[OSError], None]
    _libc: ctypes.CDLL
    _fd: int
    _rechecks: LogRechecks
    _watch: int = -1
    _log_watch: int = -1

    @classmethod
    def start(
        cls,
        change_signal: ChangeSignal,
        loop: asyncio.AbstractEventLoop,
        wake: Callable[[], None],
        lost: Callable[[OSError], None],
    ) -> Self:
        """Start; raises OSError (EMFILE, ENOSPC) when the user has reached a limit of inotify."""
        libc = ctypes.CDLL(None, use_errno=True)
        fd = checked(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        watcher = cls(change_signal, loop, wake, lost, libc, fd, LogRechecks(loop, wake))
        try:
            watcher._arm()
            loop.add_reader(watcher._fd, watcher._read)
        except BaseException:
            os.close(watcher._fd)
            raise
        return watcher

    def close(self) -> None:
        """Stop watching."""
        self._loop.remove_reader(self._fd)
        self._rechecks.cancel()
        os.close(self._fd)

    def _arm(self) -> None:
        """Watch the file at the path; a deleted one is created again."""
        os.close(self._change_signal.open())
        self._watch = checked(self._add(self._change_signal.path))
        self._arm_log()

    def _arm_log(self) -> None:
        """Watch SQLite's log; it is missing in rare moments, and the last watch of the user may be in use."""
        self._log_watch = self._add(self._change_signal.log_path)

    def _add(self, path: Path) -> int:
        mask = _IN_MODIFY | _IN_ATTRIB | _IN_MOVE_SELF | _IN_DONT_FOLLOW
        watch: int = self._libc.inotify_add_watch(self._fd, os.fsencode(path), mask)
        return watch

    def _read(self) -> None:
        seen = log_seen = 0
        last = -1
        with contextlib.suppress(BlockingIOError):
            for watch, mask in events(os.read(self._fd, 4096)):
                if watch == self._watch:
                    seen |= mask
                elif watch == self._log_watch:
                    log_seen |= mask
                last = watch
        if seen & _GONE:
            self._libc.inotify_rm_watch(self._fd, self._watch)
            try:
                self._arm()
            except OSError as error:  # other processes may use up the watches of the user
                self._lost(error)
        if log_seen & _GONE or self._log_watch < 0:
            self._libc.inotify_rm_watch(self._fd, self._log_watch)
            self._arm_log()
        if last == self._watch and not log_seen & _GONE:
            self._rechecks.cancel()
        elif log_seen:
            self._rechecks.written()
        if seen:
            self._wake()


def events(buffer: bytes) -> list[tuple[int, int]]:
    """Return (watch, mask) of each event in the bytes read from inotify."""
    found: list[tuple[int, int]] = []
    offset = 0
    while offset < len(buffer):
        watch, mask, _, length = _EVENT.unpack_from(buffer, offset)
        found.append((watch, mask))
        offset += _EVENT.size + length
    return found


def checked(result: int) -> int:
    """Return the result of a libc call; raises its error as OSError."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
