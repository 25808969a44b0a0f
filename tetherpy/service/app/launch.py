"""The launch of a supervisor as a separate process that outlives this one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import attrs

from ..protocol.private_descriptors import close_private, disown, open_private, open_private_pipe
from ..protocol.service_files import ServiceFiles, create_in
from ..protocol.settings import WorkerConfig
from ..protocol.worker_log import open_log


@attrs.frozen
class Launched:
    """The process group of the supervisor and its workers, with which a launch is undone."""

    group: int

    def kill(self) -> None:
        """Kill all processes of the group."""
        try:
            os.killpg(self.group, signal.SIGKILL)
        except ProcessLookupError:
            return


def listen(files: ServiceFiles) -> socket.socket:
    """Open the socket that apps connect to; only the holder of the group's lock may call this."""
    return create_in(files.folder, lambda: _listen(files))


def _listen(files: ServiceFiles) -> socket.socket:
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
    """Close this process' copy of a socket opened by ``listen``."""
    disown(listener.fileno())
    listener.close()


def _unix_socket() -> int:
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).detach()


async def launch(
    config: WorkerConfig, files: ServiceFiles, lock: int, listener: socket.socket, app_pipe: int | None
) -> Launched:
    """Start a supervisor that takes over the lock and the listening socket.

    It inherits both, so that at no time the group is without its lock or its socket. The process started here
    forks the supervisor and exits, so that the app has no zombie.
    """
    descriptors = [lock, listener.fileno(), *([] if app_pipe is None else [app_pipe])]
    process, writing = _spawn(files, descriptors)
    launched = Launched(process.pid)
    try:
        # Not as an argument, which every user of the machine can read: a URL may contain a password.
        await asyncio.to_thread(_hand_over, config.encode(), writing, process)
    except BaseException:
        launched.kill()
        raise
    return launched


def _spawn(files: ServiceFiles, descriptors: list[int]) -> tuple[subprocess.Popen[bytes], int]:
    """Start the process; return it with the pipe on which it waits for the configuration."""
    log = open_log(files.log)
    reading, writing = open_private_pipe()
    try:
        # Not with asyncio: uvloop runs the fork hooks in the child, and they close the private descriptors.
        process = subprocess.Popen(  # noqa: S603 - no shell; the interpreter and this package
            [sys.executable, "-P", "-m", "tetherpy.service", files.name, *map(str, descriptors)],
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
    return process, writing


def _hand_over(data: bytes, descriptor: int, process: subprocess.Popen[bytes]) -> None:
    # In a thread, because the supervisor may be slow to start and read. Its death is detected elsewhere.
    try:
        with contextlib.suppress(BrokenPipeError), open(descriptor, "wb", closefd=False) as pipe:
            pipe.write(data)
    finally:
        close_private(descriptor)
        process.wait()


def _python_path() -> str:
    # The new interpreter must find this package; the supervisor restores the variable later.
    home = str(Path(__file__).parents[3])
    rest = os.environ.get("PYTHONPATH")
    return home if not rest else os.pathsep.join((home, rest))
