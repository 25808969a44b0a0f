"""Starts the supervisor as a process of its own that outlives this one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

import attrs

from ..protocol.private_descriptors import close_private, disown, open_private, open_private_pipe
from ..protocol.service_files import ServiceFiles
from ..protocol.settings import WorkerConfig
from ..protocol.worker_log import open_log


@attrs.frozen
class Launched:
    """Hold what is needed to undo a launch: the process group that supervisor and workers are in."""

    group: int

    def kill(self) -> None:
        """Kill whatever of the group is left."""
        try:
            os.killpg(self.group, signal.SIGKILL)
        except ProcessLookupError:
            return


def listen(files: ServiceFiles) -> socket.socket:
    """Open the socket that apps connect to; to be called by the holder of the group's lock."""
    files.socket.unlink(missing_ok=True)
    listener = socket.socket(fileno=open_private(_unix_socket))
    try:
        with files.socket_address() as address:
            listener.bind(address)
        listener.listen(128)
    except BaseException:
        close_listener(listener)
        raise
    return listener


def close_listener(listener: socket.socket) -> None:
    """Close this process' copy of the socket that ``listen`` opened."""
    disown(listener.fileno())
    listener.close()


def _unix_socket() -> int:
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).detach()


async def launch(
    config: WorkerConfig, files: ServiceFiles, lock: int, listener: socket.socket, app_pipe: int | None
) -> Launched:
    """Start a supervisor that takes over the lock and the listening socket.

    Because it inherits both, no process ever sees the group without its lock or its socket. The
    process started here forks the supervisor and ends, so that no zombie of it stays with the app.
    """
    descriptors = [lock, listener.fileno(), *([] if app_pipe is None else [app_pipe])]
    log = open_log(files.log)
    reading, writing = open_private_pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "tetherpy.service",
            files.name,
            *(str(descriptor) for descriptor in descriptors),
            stdin=reading,
            stdout=log,
            stderr=log,
            pass_fds=descriptors,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": _python_path()},
        )
    except BaseException:
        close_private(writing)
        raise
    finally:
        os.close(log)
        close_private(reading)
    launched = Launched(process.pid)
    try:
        # Not an argument, which every user of the machine can read: a URL may hold a password.
        await asyncio.gather(asyncio.to_thread(_hand_over, config.encode(), writing), process.wait())
    except BaseException:
        launched.kill()
        raise
    return launched


def _hand_over(data: bytes, descriptor: int) -> None:
    # In a thread, because the supervisor that reads it may be slow to start. If it has died, that is seen elsewhere.
    try:
        with contextlib.suppress(BrokenPipeError), open(descriptor, "wb", closefd=False) as pipe:
            pipe.write(data)
    finally:
        close_private(descriptor)


def _python_path() -> str:
    # Only so that the new interpreter finds this package; the supervisor restores the variable.
    home = str(Path(__file__).parents[3])
    rest = os.environ.get("PYTHONPATH")
    return home if not rest else os.pathsep.join((home, rest))
