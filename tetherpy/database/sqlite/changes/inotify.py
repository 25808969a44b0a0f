"""A watcher of the change signal file with Linux's inotify, called through libc: no thread, no idle wake-ups."""

import asyncio
import contextlib
import ctypes
import os
import struct
from collections.abc import Callable
from typing import Self

import attrs

from .change_signal import ChangeSignal

_IN_MODIFY = 0x2
_IN_ATTRIB = 0x4  # sent too when a link to the file is removed
_IN_MOVE_SELF = 0x800
_IN_IGNORED = 0x8000
_IN_DONT_FOLLOW = 0x2000000
_GONE = _IN_ATTRIB | _IN_MOVE_SELF | _IN_IGNORED
_EVENT = struct.Struct("iIII")


@attrs.define(eq=False)
class InotifyWatcher:
    """One inotify instance with one watch, read by the loop; ``lost`` is called when the watch cannot be renewed."""

    _change_signal: ChangeSignal
    _loop: asyncio.AbstractEventLoop
    _wake: Callable[[], None]
    _lost: Callable[[OSError], None]
    _libc: ctypes.CDLL
    _fd: int
    _watch: int = -1

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
        watcher = cls(change_signal, loop, wake, lost, libc, checked(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)))
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
        os.close(self._fd)

    def _arm(self) -> None:
        """Watch the file at the path; a deleted one is created again."""
        os.close(self._change_signal.open())
        mask = _IN_MODIFY | _IN_ATTRIB | _IN_MOVE_SELF | _IN_DONT_FOLLOW
        self._watch = checked(self._libc.inotify_add_watch(self._fd, os.fsencode(self._change_signal.path), mask))

    def _read(self) -> None:
        seen = 0
        with contextlib.suppress(BlockingIOError):
            for watch, mask in events(os.read(self._fd, 4096)):
                if watch == self._watch:
                    seen |= mask
        if seen & _GONE:
            self._libc.inotify_rm_watch(self._fd, self._watch)
            try:
                self._arm()
            except OSError as error:  # other processes may use up the watches of the user
                self._lost(error)
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
