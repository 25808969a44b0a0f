"""Notification of another process' end by the operating system."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

POLL_SECONDS = 0.05
"""Where the system has no process descriptors, how often its end is looked for."""


def watch_exit(loop: asyncio.AbstractEventLoop, pid: int, on_exit: Callable[[], None]) -> Callable[[], None]:
    """Call back in the loop once when the process has ended; return what ends the watch.

    Costs nothing while the process lives where there is ``pidfd_open`` (Linux 5.3). Elsewhere a
    timer asks whether the process is there.
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

    def close() -> None:
        if loop.remove_reader(descriptor):
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
    """Tell whether there is a process with this id; it may be another than the one that had it before."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def start_of(pid: int) -> str:
    """Return when a process started, in the system's own unit: with its id this names one process of a machine.

    Return an empty text where the system does not tell, or there is no such process.
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    # The second field is the program's name in parentheses, which may hold any byte; the start is the 22nd.
    return status.rpartition(b")")[2].split()[19].decode()
