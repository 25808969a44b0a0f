"""How a service is stopped from any process."""

from __future__ import annotations

import asyncio

from . import wire
from .connection import Connection
from .errors import ServiceNotRunningError, WorkerStopError
from .exit_watch import watch_exit
from .files import ServiceFiles
from .locks import is_locked
from .supervisor import KILL_GRACE_SECONDS

AGAIN_SECONDS = 0.01
MARGIN_SECONDS = 5.0


async def stop_group(files: ServiceFiles, seconds: float) -> None:
    """Stop the service of a database and return when it is gone; at once if there is none.

    A service that is just starting is stopped too, one that stops already is waited for. Raises
    ``WorkerStopError`` if it is still there a few seconds after ``seconds``.
    """
    bound = seconds + KILL_GRACE_SECONDS + MARGIN_SECONDS
    try:
        async with asyncio.timeout(bound):
            while is_locked(files.group_lock):
                if await _stop_supervisor(files, seconds):
                    # What may be there in its place by now is not ours to stop.
                    return
                await asyncio.sleep(AGAIN_SECONDS)
    except TimeoutError as error:
        raise WorkerStopError(files.name, bound) from error


async def _stop_supervisor(files: ServiceFiles, seconds: float) -> bool:
    """Stop the supervisor that listens, and wait for its end; False if none does."""
    try:
        connection = await Connection.open(files)
    except ServiceNotRunningError:
        return False
    ended = asyncio.Event()
    try:
        async for frame in connection.frames():
            if isinstance(frame, wire.Status):
                close = watch_exit(asyncio.get_running_loop(), frame.supervisor, ended.set)
                break
        else:
            return False
        try:
            await connection.send(wire.encode(wire.Stop(seconds)))
            await ended.wait()
        finally:
            close()
    except ConnectionError:
        return False
    finally:
        connection.abort()
    return True
