"""Notification of the end of another process by the operating system."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

POLL_SECONDS = 0.05
"""Interval of checks where the system has no process descriptors."""


def watch_exit(loop: asyncio.AbstractEventLoop, pid: int, on_exit: Callable[[], None]) -> Callable[[], None]:
    """Call ``on_exit`` once in the loop when a process has ended; return the function that ends the watch.

    With ``pidfd_open`` (Linux 5.3) a watch costs nothing while the process lives. Elsewhere a timer polls.
    """
    if hasattr(os, "pidfd_open"):
        return _watch_descriptor(loop, pid, on_exit)
    return _watch_by_timer(loop, pid, on_exit)


def _watch_descriptor(loop: asyncio.AbstractEventLoop, pid: int, on_exit: Callable[[], None]) -> Callable[[], None]:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return loop.call_soon(on_exit).cancel
    except OSError:
        # EMFILE, or a sandbox that forbids it.
        return _watch_by_timer(loop, pid, on_exit)

    is_open = True

    def close() -> None:
        nonlocal is_open
        if is_open:
            # Once only: the number may belong to another file afterwards, even to one that the loop watches.
            is_open = False
            loop.remove_reader(descriptor)
            os.close(descriptor)

    def ended() -> None:
        close()
        on_exit()

    loop.add_reader(descriptor, ended)
    return close


def _watch_by_timer(loop: asyncio.AbstractEventLoop, pid: int, on_exit: Callable[[], None]) -> Callable[[], None]:
    timer: asyncio.TimerHandle

    def look() -> None:
        nonlocal timer
        if is_there(pid):
            timer = loop.call_later(POLL_SECONDS, look)
        else:
            on_exit()

    def close() -> None:
        timer.cancel()

    timer = loop.call_later(POLL_SECONDS, look)
    return close


def is_there(pid: int) -> bool:
    """Tell whether a process with this id exists; the id may have been reused for another process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def start_of(pid: int) -> str:
    """Return the start time of a process in clock ticks; with its id it identifies one process of a machine.

    Return an empty text if the system does not report it, or the process does not exist.
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    # The second field is the program's name in parentheses, which may contain any byte; the start time is the 22nd.
    return status.rpartition(b")")[2].split()[19].decode()
