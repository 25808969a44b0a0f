"""A worker: initialization, job loop, graceful shutdown; in its own process or in the loop of an app."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import attrs

from tetherpy.database import (
    DatabaseLockedError,
    DatabaseReplacedError,
    DatabaseUnavailableError,
    DiskFullError,
    SchemaNewerError,
)
from tetherpy.jobs import JobEngine, WallClock, WorkerRecord, engine_of, open_database, utc_now

from ..execution.job_loop import JobLoop
from ..execution.notification import Notification
from ..execution.worker_context import Outbox, WorkerContext
from ..protocol import frames
from ..protocol.code_files import code_files
from ..protocol.platform_support import FILE_LOCKS
from ..protocol.service_files import ServiceFiles
from ..protocol.settings import WorkerConfig
from .change_gate import ChangeGate
from .heartbeat import BEATS_PER_LEASE, Heartbeat
from .initialization import initialize, report_unusable_database
from .periodic_jobs import PeriodicSchedule
from .retention import Retention
from .unhandled_jobs import UnhandledJobs
from .worker_locks import WorkerLocks

JOIN_AGAIN_SECONDS = 0.1

_logger = logging.getLogger("tetherpy.service")


def _nothing() -> None:
    pass


@attrs.define(eq=False)
class Worker:
    """Create the parts of a worker, start them and end them in order."""

    config: WorkerConfig
    files: ServiceFiles
    callback: str | Callable[..., Any]
    clock: WallClock = utc_now
    worker_id: str = attrs.field(factory=lambda: secrets.token_hex(8))
    on_join: Callable[[], None] = _nothing
    """Called before the worker registers itself."""
    on_stuck: Callable[[], None] = _nothing
    """Called when handlers that ignore their timeout hold all slots."""
    halted: bool = attrs.field(init=False, default=False)
    _jobs: JobLoop | None = attrs.field(init=False, default=None)
    _initializing: asyncio.Task[bool] | None = attrs.field(init=False, default=None)

    def context(self, outbox: Outbox, stack: AsyncExitStack) -> WorkerContext:
        """Return the context in which the initialization callback registers; ``stack`` is exited after ``serve``."""
        config = self.config
        notification = Notification(config.notification_title, config.notification_content, outbox.send)
        return WorkerContext(config, outbox, stack, notification)

    async def serve(self, context: WorkerContext) -> bool:
        """Work until halted; return False if the worker could not start, or its database cannot be used any longer."""
        if not await self._initialize(context):
            return self.halted
        try:
            engine = await self._open_engine(context)
            locks = self._lock(context, engine)
            joined = await self._join(context, engine)
        except Exception as error:
            report_unusable_database(context, error)
            return False
        if not joined:
            return True
        if not await self._take_jobs(context, engine, locks):
            return False
        await engine.unregister_worker(self.worker_id)
        return True

    @property
    def is_stuck(self) -> bool:
        """Tell whether handlers that ignore their timeout hold all slots."""
        return self._jobs is not None and self._jobs.executor.is_stuck

    async def _initialize(self, context: WorkerContext) -> bool:
        self._initializing = asyncio.create_task(initialize(context, self.callback))
        try:
            return await self._initializing and not self.halted
        except asyncio.CancelledError:
            return False
        finally:
            self._initializing = None

    async def _open_engine(self, context: WorkerContext) -> JobEngine:
        ours = context.database
        if ours is None or ServiceFiles.of(ours.address).folder != self.files.folder:
            ours = await context.stack.enter_async_context(
                open_database(self.files.address, pool_size=self.config.pool_size)
            )
        if context.database is None:
            context.database = ours
        engine = engine_of(ours, lease=self.config.lease, clock=self.clock)
        await engine.prepare()
        return engine

    def _lock(self, context: WorkerContext, engine: JobEngine) -> WorkerLocks | None:
        """Show with a lock that this worker lives; without locks, only its heartbeat shows it."""
        if not FILE_LOCKS:
            return None
        locks = WorkerLocks(self.files, engine, self.worker_id, self.config.lease / BEATS_PER_LEASE)
        context.stack.callback(locks.close)
        return locks

    async def _join(self, context: WorkerContext, engine: JobEngine) -> bool:
        """Register this worker; return False if it is halted before.

        The write lock may be held for too long, the disk may be full, the server may be unavailable. When the service
        is starting, the supervisor fails the start after the report of this error. A replacement of a dead worker
        keeps trying, because it has jobs to rescue.
        """
        self.on_join()
        now = self.clock()
        record = WorkerRecord(
            id=self.worker_id,
            pid=os.getpid(),
            host=socket.gethostname(),
            started_at=now,
            heartbeat_at=now,
            notification_title=context.notification.title,
            notification_content=context.notification.content,
            job_keys=context.handlers.keys,
        )
        while not self.halted:
            try:
                await engine.register_worker(record)
            except (DatabaseLockedError, DatabaseUnavailableError, DiskFullError) as error:
                report_unusable_database(context, error)
                await asyncio.sleep(JOIN_AGAIN_SECONDS)
            else:
                return True
        return False

    async def _take_jobs(self, context: WorkerContext, engine: JobEngine, locks: WorkerLocks | None) -> bool:
        """Work until halted; return False if the database was replaced, or its schema changed, before that."""
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def on_end(error: Exception) -> None:
            if isinstance(error, DatabaseReplacedError) and not lost.done():
                lost.set_exception(error)

        async def until_lost() -> None:
            await lost

        def on_change() -> None:
            jobs.on_change()
            on_worker()

        def on_worker() -> None:
            if locks is not None:
                locks.on_change()

        def subscribe(callback: Callable[[], None]) -> Callable[[], None]:
            ignore_jobs = engine.on_change(callback, on_end)
            # WorkerLocks must watch new workers, and a new worker changes no job.
            ignore_workers = engine.on_worker(on_worker)

            def ignore() -> None:
                ignore_jobs()
                ignore_workers()

            return ignore

        change_gate = ChangeGate(subscribe, on_change)
        jobs = JobLoop.of(
            context, engine, self.worker_id, self.clock, change_gate.on_fetched, lambda: context.handlers.keys
        )
        heartbeat = Heartbeat(
            engine,
            self.worker_id,
            self.config.lease,
            context.notification,
            jobs.executor.cancel,
            lambda: context.supervisor_pipe.send(frames.Beat()),
            jobs.fetcher.drain,
            lambda: context.handlers.keys,
        )

        schedule = PeriodicSchedule(context.periodic.values(), engine, self.clock)

        def on_registered() -> None:
            heartbeat.notice()
            jobs.fetcher.wake()
            schedule.refresh()

        def on_notice(notice: frames.Notice) -> None:
            context.supervisor_pipe.send(notice)
            heartbeat.notice()

        context.notification.on_change = on_notice
        context.on_registered = on_registered
        jobs.executor.on_stuck = self.on_stuck
        self._jobs = jobs
        if self.halted:
            jobs.fetcher.drain()
        change_gate.listen()
        context.stack.callback(change_gate.close)
        context.supervisor_pipe.send(frames.Ready(self.worker_id, code_files()))
        background: list[Coroutine[Any, Any, None]] = [
            until_lost(),
            heartbeat.run(),
            UnhandledJobs(engine, self.config.unknown_key_grace).run(),
            schedule.run(),
        ]
        if locks is not None:
            background.append(locks.run())
        if self.config.retention is not None:
            background.append(Retention(engine, self.config.retention).run())
        unusable: list[BaseException] = []
        try:
            await jobs.run(background)
        except* (DatabaseReplacedError, SchemaNewerError) as errors:
            unusable += errors.exceptions
        if unusable:
            _logger.error("Worker %s ends: %s", self.worker_id, unusable[0])
        return not unusable

    def halt(self, *, now: bool) -> None:
        """Claim no more jobs, and end when the running ones have finished, or release them ``now``."""
        self.halted = True
        if self._initializing is not None:
            self._initializing.cancel()
        if self._jobs is not None:
            self._jobs.fetcher.drain()
            if now:
                self._jobs.executor.release_all()
