"""A worker in the event loop of an app, without a process."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import attrs
import msgspec

from tetherpy.database import SqlDatabase

from ..errors import ServiceNotRunningError, WorkerStartError, WorkerStopError
from ..execution.worker_context import WorkerContext
from ..logs.records import job_records
from ..protocol import frames
from ..protocol.platform_support import FILE_LOCKS
from ..protocol.service_files import ServiceFiles
from ..protocol.settings import WorkerConfig
from ..protocol.wait_bounds import HANDLER_GRACE_SECONDS, SIGNAL_STOP_SECONDS, START_SECONDS, STOP_MARGIN_SECONDS
from .local_outbox import LocalOutbox
from .worker import Worker

_logger = logging.getLogger("tetherpy.service")


@attrs.define(eq=False)
class LocalWorker:
    """Run one worker as a task; ``on_frame`` is called with its messages, and with its status after each change.

    ``database`` is the open database of the app; without it the worker opens one.
    """

    config: WorkerConfig
    files: ServiceFiles
    callback: str | Callable[..., Any]
    on_frame: Callable[[frames.Status | frames.Event], None]
    database: SqlDatabase | None
    status: frames.Status = attrs.field(init=False)
    _worker: Worker = attrs.field(init=False)
    _context: WorkerContext | None = attrs.field(init=False, default=None)
    _task: asyncio.Task[None] | None = attrs.field(init=False, default=None)
    _ready: asyncio.Future[None] = attrs.field(init=False)
    _stopping: set[asyncio.Task[None]] = attrs.field(init=False, factory=set[asyncio.Task[None]])

    def __attrs_post_init__(self) -> None:
        self._worker = Worker(self.config, self.files, self.callback, on_stuck=self._on_stuck)
        self._ready = asyncio.get_running_loop().create_future()
        self.status = frames.Status(
            phase=frames.Phase.STARTING,
            supervisor=os.getpid(),
            workers=(frames.WorkerEntry(os.getpid(), None),),
            title=self.config.notification_title,
            content=self.config.notification_content,
            foreground=True,
            settings=self.config.settings,
            since=time.time(),
            in_foreground=True,
        )

    @property
    def is_running(self) -> bool:
        """Tell whether it is ready and has not ended."""
        return self.status.phase in (frames.Phase.READY, frames.Phase.STOPPING)

    async def start(self, seconds: float) -> None:
        """Start it, and return when it is ready; raises ``WorkerStartError``."""
        if FILE_LOCKS:
            self.files.create()
        self._task = asyncio.create_task(self._run())
        try:
            async with asyncio.timeout(seconds):
                await asyncio.wait([self._task, self._ready], return_when=asyncio.FIRST_COMPLETED)
        except BaseException as error:
            await self._end_now()
            if isinstance(error, TimeoutError):
                reason = f"it was not ready within {seconds:g} s: the initialization callback has not returned"
                raise WorkerStartError(reason) from error
            raise
        if not self._ready.done():
            failure = self._task.exception()
            ended = "it was stopped" if failure is None else f"it ended with {type(failure).__name__}: {failure}"
            reason = self.status.error or ended
            raise WorkerStartError(reason, worker_traceback=self.status.traceback) from failure

    async def stop(self, seconds: float) -> None:
        """Let running jobs finish, release those that still run after ``seconds``, and return when it has ended.

        Raises ``WorkerStopError`` if it does not end, and the error that ended it before.
        """
        if self._task is None:
            return
        if not self._task.done():
            self._set(phase=frames.Phase.STOPPING)
        self._worker.halt(now=False)
        try:
            done, _ = await asyncio.wait([self._task], timeout=seconds)
        except asyncio.CancelledError:
            await self._end_now()
            raise
        if not done:
            await self._end_now()
        if self._task.done():
            self._task.result()

    async def wait(self) -> None:
        """Wait until it has ended; raises the error that ended it."""
        assert self._task is not None
        await asyncio.shield(self._task)

    def deliver(self, data: bytes) -> None:
        """Deliver the message in an encoded frame to the handlers of the worker; raises ``ServiceNotRunningError``."""
        if self._context is None or not self.is_running:
            raise ServiceNotRunningError(self.files.name)
        frame = frames.decode(data)
        assert isinstance(frame, frames.Event)
        self._context.event_bus.deliver(frame.name, frames.data_of(frame))

    async def _run(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                stack.enter_context(job_records())
                self._context = self._worker.context(LocalOutbox(self._on_frame), stack)
                self._context.database = self.database
                await self._worker.serve(self._context)
        except Exception:
            _logger.exception("The worker of %s in this process has failed", self.files.name)
            raise
        finally:
            self._set(phase=frames.Phase.FAILED, workers=())

    async def _end_now(self) -> None:
        assert self._task is not None
        self._worker.halt(now=True)
        bound = HANDLER_GRACE_SECONDS + STOP_MARGIN_SECONDS
        done, _ = await asyncio.wait([self._task], timeout=bound)
        if not done:
            self._task.cancel()
            raise WorkerStopError(self.files.name, bound, os.getpid())

    def _on_frame(self, frame: frames.Frame) -> None:
        match frame:
            case frames.Event():
                self.on_frame(frame)
            case frames.Ready():
                self._set(phase=frames.Phase.READY, workers=(frames.WorkerEntry(os.getpid(), frame.worker_id),))
                if not self._ready.done():
                    self._ready.set_result(None)
            case frames.Notice():
                self._set(title=frame.title, content=frame.content, foreground=frame.foreground)
            case frames.StartFailed():
                self._set(error=frame.reason, traceback=frame.traceback)
            case frames.Stop():
                task = asyncio.create_task(self.stop(frame.timeout))
                self._stopping.add(task)
                task.add_done_callback(self._stopping.discard)
            case _:
                pass

    def _set(self, **changes: object) -> None:
        self.status = msgspec.structs.replace(self.status, **changes)
        self.on_frame(self.status)

    def _on_stuck(self) -> None:
        _logger.warning(
            "All %d slots of the worker in this process are held by handlers that ignore their timeout; it works again "
            "when one ends. Check service.cancelled in handlers",
            self.config.concurrency,
        )


async def serve_here(config: WorkerConfig, files: ServiceFiles, callback: str | Callable[..., Any]) -> None:
    """Run a worker in this loop until it ends; if this task is cancelled, running jobs have 30 seconds to finish."""
    worker = LocalWorker(config, files, callback, lambda _: None, None)
    await worker.start(START_SECONDS)
    try:
        await worker.wait()
    finally:
        await worker.stop(SIGNAL_STOP_SECONDS)
