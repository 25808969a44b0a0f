"""Stopping a service from any process."""

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
    """Stop the service of a database and return when it has ended; return at once without one.

    A service that is starting is stopped too; one that is stopping is waited for. If the socket does not work within
    ``seconds``, the supervisor is signalled: its process id is in the lock file. Raises ``WorkerStopError`` if
    the service is still running a few seconds later.
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
            # Another process may have started a new service by now. It must not be stopped.
            return
        if not is_locked(files.group_lock):
            return
        await asyncio.sleep(AGAIN_SECONDS)


async def _stop_supervisor(files: ServiceFiles, seconds: float) -> bool:
    """Stop the listening supervisor and wait for its end; return False without one."""
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
    """Return the process id of the listening supervisor; None if it sends no status: it has ended or is suspended."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            async for frame in connection.frames():
                if isinstance(frame, frames.Status):
                    return frame.supervisor
    except TimeoutError:
        return None
    return None


async def _signal_supervisor(files: ServiceFiles) -> None:
    """End the supervisor with two signals: finish the jobs, then release them."""
    pid = living_signer_of(files.group_lock) if is_locked(files.group_lock) else None
    if pid is None:
        return
    ended = asyncio.Event()
    close = watch_exit(asyncio.get_running_loop(), pid, ended.set)
    try:
        for _ in range(2):
            # Checked again, because the first signal may have ended it.
            if living_signer_of(files.group_lock) == pid:
                os.kill(pid, signal.SIGTERM)
            await asyncio.sleep(SECOND_SIGNAL_SECONDS)
        await ended.wait()
    except ProcessLookupError:
        return
    finally:
        close()
