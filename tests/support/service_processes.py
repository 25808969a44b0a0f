"""The processes that serve a database."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import psutil


def server_processes(path: Path) -> list[psutil.Process]:
    """Return the processes with a database in their arguments: supervisor and workers."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(str(path) in argument for argument in process.cmdline()):
                found.append(process)
    return found


def kill_servers(path: Path) -> None:
    """Kill the processes that serve a database, with their children, and wait until they are gone."""
    for process in server_processes(path):
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in process.children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            process.kill()
    deadline = time.monotonic() + 5
    while server_processes(path) and time.monotonic() < deadline:
        time.sleep(0.005)
