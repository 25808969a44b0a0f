"""The processes that currently serve the campaign's database."""

import contextlib
import os
import signal

import attrs
import psutil

from tetherpy.database import redacted


@attrs.frozen
class Servers:
    """Hold the process ids of supervisors, of workers that take jobs, and of those that do not yet."""

    supervisors: tuple[int, ...]
    workers: tuple[int, ...]
    starting: tuple[int, ...]

    @property
    def all(self):
        # Supervisors first: they would replace the workers.
        return (*self.supervisors, *self.starting, *self.workers)


def servers_of(traces):
    parents = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            command = process.cmdline()
            if "tetherpy.service" in command and redacted(traces.database) in command:
                parents[process.pid] = process.ppid()
    locked = set()
    for file in traces.folder.rglob("*.worker"):
        with contextlib.suppress(FileNotFoundError, ValueError):
            locked.add(int(file.read_text()))
    workers = tuple(sorted(parents.keys() & locked))
    starting = tuple(sorted(pid for pid, parent in parents.items() if parent in parents and pid not in locked))
    supervisors = tuple(sorted(parents.keys() - {*workers, *starting}))
    return Servers(supervisors, workers, starting)


def send(pid, number):
    """Send a signal; False if the process is gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def kill_everything(traces):
    """Leave no process of the campaign's service."""
    while alive := servers_of(traces).all:
        for pid in alive:
            send(pid, signal.SIGKILL)
