"""Starting a service or attaching to it; of several concurrent starts one launches it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import Enum, auto
from typing import Literal, TypeAlias

import attrs

from ..errors import ServiceDiffersError, ServiceNotRunningError, WorkerStartError
from ..protocol.frame_stream import FrameStream
from ..protocol.frames import Phase, Status
from ..protocol.locks import living_signer_of, try_lock, unlock, wait_until_unlocked
from ..protocol.private_descriptors import close_private
from ..protocol.service_files import ServiceFiles
from ..protocol.settings import WorkerConfig
from ..protocol.wait_bounds import LOCK_RELEASE_SECONDS, SIGNAL_STOP_SECONDS
from ..protocol.worker_log import log_tail, size_of
from .launch import Launched, close_listener, launch, listen
from .stopping import stop_group

AGAIN_SECONDS = 0.01

IfRunning: TypeAlias = Literal["error", "attach", "restart"]
IfCodeChanged: TypeAlias = Literal["restart", "warn", "ignore"]

_logger = logging.getLogger("tetherpy.service")


class Start(Enum):
    """The outcome of a start."""

    LAUNCHED = auto()
    ATTACHED = auto()


@attrs.define(eq=False)
class Starter:
    """Start the service of one database, or attach to one that another process starts.

    The process that gets the group's lock launches the supervisor and passes the lock on. Every process then connects
    and waits for the supervisor's report on the start.
    """

    config: WorkerConfig
    files: ServiceFiles
    app_pipe: int | None = None
    if_running: IfRunning = "error"
    if_code_changed: IfCodeChanged = "restart"
    drain_seconds: float = SIGNAL_STOP_SECONDS
    _launched: bool = attrs.field(init=False, default=False)

    async def start(self, seconds: float) -> Start:
        """Return when the workers are ready.

        Raises ``WorkerStartError`` if the start fails or times out, and ``ServiceDiffersError`` if workers with other
        settings run and ``if_running`` is ``"error"``.
        """
        try:
            async with asyncio.timeout(seconds):
                while True:
                    if (lock := await self._try_own()) is not None:
                        self._launched = True
                        await self._start_ours(lock)
                        return Start.LAUNCHED
                    if await self._attach():
                        return Start.ATTACHED
                    await asyncio.sleep(AGAIN_SECONDS)
        except TimeoutError as error:
            raise self._late(seconds) from error

    def _late(self, seconds: float) -> WorkerStartError:
        late = f"it was not ready within {seconds:g} s"
        if self._launched:
            reason = f"{late}: the initialization callback has not returned"
            return WorkerStartError(reason, log=str(self.files.log))
        holder = living_signer_of(self.files.group_lock)
        reason = f"{late}: another service of this database is starting, stopping or suspended"
        return WorkerStartError(reason, log=str(self.files.log), left_running=holder)

    async def _try_own(self) -> int | None:
        """Return the group's lock; None if a service runs, even if its lock file was deleted."""
        lock = try_lock(self.files.group_lock)
        if lock is None:
            return None
        try:
            rival = await self._listens()
        except BaseException:
            unlock(lock)
            raise
        if rival:
            unlock(lock)
            return None
        return lock

    async def _attach(self) -> bool:
        status = await self._read_status()
        if not self._is_ready(status):
            return False
        assert status is not None
        if self.if_running == "attach" or status.settings in (None, self.config.settings):
            return not await self._restart_old_code(status)
        if self.if_running == "error":
            raise ServiceDiffersError(
                self.files.name, str(status.settings), str(self.config.settings), status.supervisor
            )
        await stop_group(self.files, SIGNAL_STOP_SECONDS)
        return False

    async def _restart_old_code(self, status: Status) -> bool:
        """Stop workers whose code is older than its files; tell whether they were stopped."""
        if not status.changed or self.if_code_changed == "ignore":
            return False
        changed = ", ".join(status.changed)
        if status.in_foreground or self.if_code_changed == "warn":
            _logger.warning("The workers of %s run code that is older than %s; restart them", self.files.name, changed)
            return False
        _logger.info("The workers of %s are restarted, because files have changed: %s", self.files.name, changed)
        await stop_group(self.files, self.drain_seconds)
        return True

    async def _start_ours(self, lock: int) -> None:
        log_size = size_of(self.files.log)
        async with self._undone_unless_ready(lock):
            status = await self._read_status()
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
            listener = listen(self.files)
            try:
                return await launch(self.config, self.files, lock, listener, self.app_pipe)
            finally:
                close_listener(listener)
        finally:
            # The supervisor has copies of both. With this one open, its end could not be detected.
            close_private(lock)

    async def _listens(self) -> bool:
        try:
            connection = await FrameStream.connect(self.files)
        except ServiceNotRunningError:
            return False
        connection.abort()
        return True

    async def _read_status(self) -> Status | None:
        """Return the first status after STARTING; None if no supervisor runs, or it ends before."""
        try:
            connection = await FrameStream.connect(self.files)
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
                # The supervisor logs the error too; leave it out, because this error contains it already.
                log_tail="" if log_size is None else self._tail(log_size).partition(f"tetherpy: {status.error}")[0],
                log=str(self.files.log),
            )
        return status is not None and status.phase is Phase.READY

    async def _wait_for_end(self) -> None:
        await wait_until_unlocked(self.files.group_lock, LOCK_RELEASE_SECONDS)

    def _tail(self, since: int) -> str:
        return log_tail(self.files.log, since)
