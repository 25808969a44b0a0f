"""How a service is stopped from any process."""

from __future__ import annotations

import asyncio

from . import wire
from .connection import Connection
from .errors import ServiceNotRunningError, WorkerStopError
from .files import ServiceFiles
from .locks import is_locked, wait_until_unlocked
from .supervisor import KILL_GRACE_SECONDS

AGAIN_SECONDS = 0.01
MARGIN_SECONDS = 5.0
LOCK_DROP_SECONDS = 1.0


async def stop_group(files: ServiceFiles, seconds: float) -> None:
    """Stop the service of a database and return when it is gone; at once if there is none.

    A service that is just starting is stopped too, one that stops already is waited for. Raises
    ``WorkerStopError`` if it is still there a few seconds after ``seconds``.
    """
    bound = seconds + KILL_GRACE_SECONDS + MARGIN_SECONDS
    try:
        async with asyncio.timeout(bound):
            while is_locked(files.group_lock):
                if await _ask(files, seconds):
                    # It has said goodbye; what follows in its place is not ours to stop.
                    await wait_until_unlocked(files.group_lock, LOCK_DROP_SECONDS)
                    return
                await asyncio.sleep(AGAIN_SECONDS)
    except TimeoutError as error:
        raise WorkerStopError(str(files.database), bound) from error


async def _ask(files: ServiceFiles, seconds: float) -> bool:
    try:
        connection = await Connection.open(files)
    except ServiceNotRunningError:
        return False
    try:
        await connection.send(wire.encode(wire.Stop(seconds)))
        async for _ in connection.frames():
            pass
    except ConnectionError:
        return False
    finally:
        connection.abort()
    return True
