"""Locks that the operating system drops when their process ends, however it ends."""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from pathlib import Path

_POLL_SECONDS = 0.002


def try_lock(path: Path) -> int | None:
    """Lock the file, creating it if needed, and return its descriptor; None if another holds it.

    The lock lives as long as any copy of the descriptor: a child that inherits it keeps it. Close
    the descriptor to drop one's own share.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def is_locked(path: Path) -> bool:
    """Tell whether a process holds the file's lock; False if there is no such file.

    It asks with a shared lock, so that any number may ask at once. A ``try_lock`` in the same
    microseconds fails, which is why those who want the lock try again.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def lock_into_place(path: Path) -> int:
    """Create the file already locked, so that nobody ever sees it unlocked while we live."""
    unfinished = path.with_suffix(".new")
    descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(descriptor, str(os.getpid()).encode())
        unfinished.rename(path)
    except BaseException:
        os.close(descriptor)
        unfinished.unlink(missing_ok=True)
        raise
    return descriptor


async def wait_until_unlocked(path: Path, seconds: float) -> bool:
    """Wait until nobody holds the lock; tell whether that happened within ``seconds``."""
    deadline = time.monotonic() + seconds
    while is_locked(path):
        if time.monotonic() >= deadline:
            return False
        # No event tells that a lock was dropped, except by taking it.
        await asyncio.sleep(_POLL_SECONDS)
    return True
