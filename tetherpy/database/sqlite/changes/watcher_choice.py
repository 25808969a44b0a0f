"""Watchers of the change signal file: their protocol, and the choice of one for the system."""

import asyncio
import errno
import logging
import sys
from collections.abc import Callable
from typing import Protocol

from tetherpy.subscribers import do_nothing

from .change_signal import ChangeSignal
from .polling import PollingWatcher

LOG = logging.getLogger("tetherpy.database")


class Watcher(Protocol):
    """A watcher that calls ``wake`` in the loop soon after any process signalled a commit."""

    def close(self) -> None:
        """Stop and release its resources."""
        ...


def watch(
    change_signal: ChangeSignal,
    wake: Callable[[], None],
    commits_seen: Callable[[], int],
    lost: Callable[[OSError], None] = do_nothing,
) -> Watcher:
    """Watch the file with inotify on Linux, with kqueue on macOS.

    Where neither exists, or the user has reached a limit (128 watches per user on some systems), poll the database.
    ``lost`` is called when push notifications end; call this function again then.
    """
    loop = asyncio.get_running_loop()
    try:
        return push_watcher(change_signal, loop, wake, lost)
    except OSError as error:
        LOG.info("no push notifications, polling the database instead: %s", error)
        return PollingWatcher.start(loop, wake, commits_seen)


def push_watcher(
    change_signal: ChangeSignal,
    loop: asyncio.AbstractEventLoop,
    wake: Callable[[], None],
    lost: Callable[[OSError], None],
) -> Watcher:
    """Return a watcher with push notifications; raises OSError if the system has none."""
    if sys.platform == "linux":
        from .inotify import InotifyWatcher as PushWatcher
    elif sys.platform == "darwin":
        from .kqueue import KqueueWatcher as PushWatcher
    else:
        raise OSError(errno.ENOSYS, f"{sys.platform} has neither inotify nor kqueue")
    return PushWatcher.start(change_signal, loop, wake, lost)
