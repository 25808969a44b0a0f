"""How a service is started or attached to: many may try at once, and one group comes of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import attrs

from .config import WorkerConfig
from .connection import Connection
from .errors import ServiceNotRunningError, WorkerStartError
from .files import ServiceFiles
from .launch import Launched, launch, listen
from .locks import try_lock, wait_until_unlocked
from .wire import Phase, Status
from .worker_log import log_tail

AGAIN_SECONDS = 0.01
LOCK_RELEASE_SECONDS = 5.0


@attrs.define(eq=False)
class Starter:
    """Start the service of one database, or attach to the one that another process starts.

    Whoever gets the group's lock launches and hands the lock over; everybody, that one included,
    then connects and waits for the supervisor to say how the start went.
    """

    config: WorkerConfig
    files: ServiceFiles
    app_pipe: int | None = None

    async def start(self, seconds: float) -> bool:
        """Return when the workers are ready: True if they are ours, False if we attached.

        Raises ``WorkerStartError`` if they do not get ready in time, or at all.
        """
        try:
            async with asyncio.timeout(seconds):
                while (lock := try_lock(self.files.group_lock)) is None:
                    if self._is_ready(await self._hear()):
                        return False
                    await asyncio.sleep(AGAIN_SECONDS)
                await self._start_ours(lock)
                return True
        except TimeoutError as error:
            reason = (
                f"it was not ready within {seconds:g} s: the initialization callback has not returned, "
                "or a service that stops has not ended"
            )
            raise WorkerStartError(reason, log=str(self.files.log)) from error

    async def _start_ours(self, lock: int) -> None:
        log_size = self.files.log.stat().st_size if self.files.log.exists() else 0
        async with self._undone_unless_ready(lock):
            status = await self._hear()
            if not self._is_ready(status, log_size):
                await self._wait_for_end()
                raise WorkerStartError(
                    "it ended before it was ready", log_tail=self._tail(log_size), log=str(self.files.log)
                )

    @asynccontextmanager
    async def _undone_unless_ready(self, lock: int) -> AsyncGenerator[None]:
        launched = await self._launch(lock)
        try:
            yield
        except BaseException:
            launched.kill()
            await asyncio.shield(asyncio.ensure_future(self._wait_for_end()))
            raise

    async def _launch(self, lock: int) -> Launched:
        try:
            with listen(self.files) as listener:
                return await launch(self.config, self.files, lock, listener, self.app_pipe)
        finally:
            # The supervisor has its own copies: ours would hide its end.
            os.close(lock)

    async def _hear(self) -> Status | None:
        """Return the status that decides the start; None if there is nobody, or no more."""
        try:
            connection = await Connection.open(self.files)
        except ServiceNotRunningError:
            return None
        try:
            async for frame in connection.frames():
                if isinstance(frame, Status) and frame.phase is not Phase.STARTING:
                    return frame
        finally:
            connection.abort()
        return None

    def _is_ready(self, status: Status | None, log_size: int | None = None) -> bool:
        if status is not None and status.phase is Phase.FAILED:
            raise WorkerStartError(
                status.error,
                worker_traceback=status.traceback,
                # The supervisor logs its verdict too, which the error tells already.
                log_tail="" if log_size is None else self._tail(log_size).partition(f"tetherpy: {status.error}")[0],
                log=str(self.files.log),
            )
        return status is not None and status.phase is Phase.READY

    async def _wait_for_end(self) -> None:
        await wait_until_unlocked(self.files.group_lock, LOCK_RELEASE_SECONDS)

    def _tail(self, since: int) -> str:
        return log_tail(self.files.log, since)
