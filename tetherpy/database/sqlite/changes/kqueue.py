"""A watcher of the change signal file with the kqueue of macOS."""

import asyncio
import os
import select
import sys
from collections.abc import Callable
from typing import Self

import attrs

from .change_signal import ChangeSignal

if sys.platform == "darwin":

    @attrs.define(eq=False)
    class KqueueWatcher:
        """One kqueue on the file, read by the loop; ``lost`` is called when the watch cannot be renewed."""

        _change_signal: ChangeSignal
        _loop: asyncio.AbstractEventLoop
        _wake: Callable[[], None]
        _lost: Callable[[OSError], None]
        _queue: select.kqueue
        _fd: int = -1

        @classmethod
        def start(
            cls,
            change_signal: ChangeSignal,
            loop: asyncio.AbstractEventLoop,
            wake: Callable[[], None],
            lost: Callable[[OSError], None],
        ) -> Self:
            """Start; raises OSError when no descriptor is free."""
            watcher = cls(change_signal, loop, wake, lost, select.kqueue())
            try:
                watcher._arm()
                loop.add_reader(watcher._queue.fileno(), watcher._read)
            except BaseException:
                watcher._queue.close()
                raise
            return watcher

        def close(self) -> None:
            """Stop watching."""
            self._loop.remove_reader(self._queue.fileno())
            self._queue.close()
            if self._fd >= 0:
                os.close(self._fd)

        def _arm(self) -> None:
            """Watch the file at the path; closing the old descriptor ends the old watch."""
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1
            self._fd = self._change_signal.open()
            interest = select.kevent(
                self._fd,
                filter=select.KQ_FILTER_VNODE,
                flags=select.KQ_EV_ADD | select.KQ_EV_CLEAR,
                fflags=select.KQ_NOTE_WRITE | select.KQ_NOTE_DELETE | select.KQ_NOTE_RENAME,
            )
            self._queue.control([interest], 0, 0)

        def _read(self) -> None:
            seen = 0
            for event in self._queue.control([], 16, 0):
                seen |= event.fflags
            if seen & (select.KQ_NOTE_DELETE | select.KQ_NOTE_RENAME):
                try:
                    self._arm()
                except OSError as error:
                    self._lost(error)
            if seen:
                self._wake()
