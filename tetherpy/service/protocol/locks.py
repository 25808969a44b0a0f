"""File locks, which the operating system releases when their process ends, even after a crash."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .exit_watch import start_of
from .platform_support import FILE_LOCKS
from .private_descriptors import close_private, open_private
from .service_files import create_in, open_own

if TYPE_CHECKING or FILE_LOCKS:
    import fcntl

_POLL_SECONDS = 0.002


def try_lock(path: Path) -> int | None:
    """Lock the file, creating it if needed, and return its descriptor; None if another process holds the lock.

    Close it with ``unlock``. Forked children do not keep the lock; a program that inherits the descriptor does.
    """
    descriptor = create_in(path.parent, lambda: open_private(lambda: open_own(path, os.O_RDWR | os.O_CREAT)))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        close_private(descriptor)
        return None
    except BaseException:
        close_private(descriptor)
        raise
    return descriptor


def unlock(descriptor: int) -> None:
    """Release the lock, even if another process has a copy of its descriptor, and close it."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    close_private(descriptor)


def is_locked(path: Path) -> bool:
    """Tell whether a process holds the file's lock; False if the file does not exist.

    It tries a shared lock, so that several processes may check at the same time. A ``try_lock`` during the check
    fails, so processes that want the lock try again. False on a platform without such locks.
    """
    if not FILE_LOCKS:
        return False
    try:
        descriptor = open_private(lambda: open_own(path, os.O_RDONLY))
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        close_private(descriptor)
    return False


def sign(descriptor: int) -> None:
    """Write the id and start time of this process into a file that it has locked."""
    pid = os.getpid()
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{pid} {start_of(pid)}".encode(), 0)


def signer_of(path: Path) -> int | None:
    """Return the id of the process that signed the file, or None; the process may have ended."""
    pid, _ = _signature(path)
    return pid


def living_signer_of(path: Path) -> int | None:
    """Return the id of the process that signed the file, if that process is running.

    The id may belong to an unrelated process: ids are reused, and each container has separate ids. So the start time
    is compared too, where the system reports it.
    """
    pid, started = _signature(path)
    return pid if pid is not None and start_of(pid) == started else None


def _signature(path: Path) -> tuple[int | None, str]:
    try:
        pid, _, started = path.read_text().partition(" ")
        return int(pid), started
    except (OSError, ValueError):
        return None, ""


def is_in_place(descriptor: int, path: Path) -> bool:
    """Tell whether the path still leads to the open file."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


def lock_into_place(path: Path) -> int:
    """Create the file locked and signed: no process ever sees it unlocked while this one lives."""
    return create_in(path.parent, lambda: _lock_into_place(path))


def _lock_into_place(path: Path) -> int:
    unfinished = path.with_suffix(".new")
    descriptor = open_private(lambda: open_own(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        sign(descriptor)
        unfinished.rename(path)
    except BaseException:
        close_private(descriptor)
        unfinished.unlink(missing_ok=True)
        raise
    return descriptor


async def wait_until_unlocked(path: Path, seconds: float) -> bool:
    """Wait until no process holds the lock; return False after ``seconds``."""
    deadline = time.monotonic() + seconds
    while is_locked(path):
        if time.monotonic() >= deadline:
            return False
        # There is no notification of a released lock.
        await asyncio.sleep(_POLL_SECONDS)
    return True
