"""How a service is stopped from any process."""

from __future__ import annotations

import asyncio
import os
import signal

from ..errors import ServiceNotRunningError, WorkerStopError
from ..protocol import frames
from ..protocol.exit_watch import watch_exit
from ..protocol.frame_stream import FrameStream
from ..protocol.locks import is_locked, living_signer_of
from ..protocol.service_files import ServiceFiles
from ..protocol.wait_bounds import ANSWER_SECONDS, KILL_GRACE_SECONDS, STOP_MARGIN_SECONDS

AGAIN_SECONDS = 0.01
SECOND_SIGNAL_SECONDS = 0.2


async def stop_group(files: ServiceFiles, seconds: float) -> None:
    """Stop the service of a database and return when it is gone; at once if there is none.

    A service that is just starting is stopped too, one that stops already is waited for. One that cannot be
    reached over its socket within ``seconds`` is signalled by the process id in its lock file. Raises
    ``WorkerStopError`` if it is still there a few seconds later.
    """
    bound = seconds + KILL_GRACE_SECONDS + STOP_MARGIN_SECONDS
    stopping = asyncio.ensure_future(_stop_by_socket(files, seconds))
    try:
        async with asyncio.timeout(bound):
            done, _ = await asyncio.wait([stopping], timeout=seconds + KILL_GRACE_SECONDS)
            if not done:
                await _signal_supervisor(files)
            await stopping
    except TimeoutError as error:
        raise WorkerStopError(files.name, bound, living_signer_of(files.group_lock)) from error
    finally:
        stopping.cancel()


async def _stop_by_socket(files: ServiceFiles, seconds: float) -> None:
    while True:
        if await _stop_supervisor(files, seconds):
            # What may be there in its place by now is not ours to stop.
            return
        if not is_locked(files.group_lock):
            return
        await asyncio.sleep(AGAIN_SECONDS)


async def _stop_supervisor(files: ServiceFiles, seconds: float) -> bool:
    """Stop the supervisor that listens, and wait for its end; False if none does."""
    try:
        connection = await FrameStream.connect(files)
    except ServiceNotRunningError:
        return False
    ended = asyncio.Event()
    try:
        pid = await _supervisor_of(connection)
        if pid is None:
            return False
        close = watch_exit(asyncio.get_running_loop(), pid, ended.set)
        try:
            await connection.send(frames.encode(frames.Stop(seconds)))
            await ended.wait()
        finally:
            close()
    except ConnectionError:
        return False
    finally:
        connection.abort()
    return True


async def _supervisor_of(connection: FrameStream) -> int | None:
    """Return the process that listens; None if it does not greet: it has ended, or stands still."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            async for frame in connection.frames():
                if isinstance(frame, frames.Status):
                    return frame.supervisor
    except TimeoutError:
        return None
    return None


async def _signal_supervisor(files: ServiceFiles) -> None:
    """End the supervisor by signals, at once: the first means finish, the second release what runs."""
    pid = living_signer_of(files.group_lock) if is_locked(files.group_lock) else None
    if pid is None:
        return
    ended = asyncio.Event()
    close = watch_exit(asyncio.get_running_loop(), pid, ended.set)
    try:
        for _ in range(2):
            # Asked again, since the first signal may have ended it.
            if living_signer_of(files.group_lock) == pid:
                os.kill(pid, signal.SIGTERM)
            await asyncio.sleep(SECOND_SIGNAL_SECONDS)
        await ended.wait()
    except ProcessLookupError:
        return
    finally:
        close()
