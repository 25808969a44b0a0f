"""Hearing the bell: the protocol, and the choice of what the system offers."""

import asyncio
import errno
import logging
import sys
from collections.abc import Callable
from typing import Protocol

from .change_signal import ChangeSignal
from .polling import PollingWatcher

LOG = logging.getLogger("tetherpy.database")


class Watcher(Protocol):
    """Something that calls ``wake`` in the loop soon after the bell was rung in any process."""

    def close(self) -> None:
        """Stop and free what it uses."""
        ...


def ignore(_: OSError) -> None:
    """Take no notice."""


def watch(
    change_signal: ChangeSignal,
    wake: Callable[[], None],
    commits_seen: Callable[[], int],
    lost: Callable[[OSError], None] = ignore,
) -> Watcher:
    """Watch the bell by the best means there is: inotify on Linux, kqueue on macOS.

    Where neither is there, or the system has no more of them to give (some allow 128 per user), the database
    itself is asked, often while it changes and seldom while it rests. ``lost`` is called when a watcher that
    was pushed to can hear no longer; then watch again.
    """
    loop = asyncio.get_running_loop()
    try:
        return push_watcher(change_signal, loop, wake, lost)
    except OSError as error:
        LOG.info("no push notification, asking the database instead: %s", error)
        return PollingWatcher.start(loop, wake, commits_seen)


def push_watcher(
    change_signal: ChangeSignal,
    loop: asyncio.AbstractEventLoop,
    wake: Callable[[], None],
    lost: Callable[[OSError], None],
) -> Watcher:
    """Return what the system pushes with; raises OSError where it cannot."""
    if sys.platform == "linux":
        from .inotify import InotifyWatcher as PushWatcher
    elif sys.platform == "darwin":
        from .kqueue import KqueueWatcher as PushWatcher
    else:
        raise OSError(errno.ENOSYS, f"{sys.platform} has neither inotify nor kqueue")
    return PushWatcher.start(change_signal, loop, wake, lost)
