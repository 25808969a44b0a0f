"""The worker process: initialization, job loop, graceful shutdown."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
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
from ..execution.worker_context import WorkerContext
from ..protocol import frames
from ..protocol.service_files import ServiceFiles
from ..protocol.settings import WorkerConfig
from ..protocol.wait_bounds import STUCK_SECONDS
from ..protocol.worker_log import open_log
from ..supervisor.child_process import WorkerSockets
from .change_gate import ChangeGate
from .fork_guard import guard_against_forks
from .heartbeat import BEATS_PER_LEASE, Heartbeat
from .initialization import initialize, report_unusable_database
from .periodic_jobs import PeriodicSchedule
from .retention import Retention
from .supervisor_pipe import SupervisorPipe
from .unhandled_jobs import UnhandledJobs
from .worker_locks import WorkerLocks

JOIN_AGAIN_SECONDS = 0.1

_logger = logging.getLogger("tetherpy.service")


def work(config: WorkerConfig, sockets: WorkerSockets) -> int:
    """Run a worker until it is stopped; return the exit code. The process must exit right after.

    The loop is not closed as in ``asyncio.run``, which waits for tasks that ignore their cancellation: tasks that
    handlers leave behind end with the process.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    files = ServiceFiles.of(config.database)
    os.environ["TETHERPY_DATABASE"] = (
        files.address
    )  # generated providers and commands that a handler uses take this one
    return loop.run_until_complete(Worker(config, files).run(sockets))


@attrs.define(eq=False)
class Worker:
    """Create the parts of a worker, start them and end them in order."""

    config: WorkerConfig
    files: ServiceFiles
    clock: WallClock = utc_now
    worker_id: str = attrs.field(factory=lambda: secrets.token_hex(8))
    _jobs: JobLoop | None = attrs.field(init=False, default=None)
    _initializing: asyncio.Task[bool] | None = attrs.field(init=False, default=None)
    _halted: bool = attrs.field(init=False, default=False)

    async def run(self, sockets: WorkerSockets) -> int:
        """Work until halted; return the exit code."""
        supervisor_pipe = await SupervisorPipe.open(sockets.control, sockets.events)
        self._follow_signals()
        async with AsyncExitStack() as stack:
            notification = Notification(
                self.config.notification_title, self.config.notification_content, supervisor_pipe.send
            )
            context = WorkerContext(self.config, supervisor_pipe, stack, notification)
            listening = asyncio.create_task(self._listen(context, supervisor_pipe))
            stack.callback(listening.cancel)
            if not await self._initialize(context):
                await supervisor_pipe.flush()
                return 0 if self._halted else 1
            try:
                engine = await self._open_engine(context)
                locks = await self._join(context, engine)
            except Exception as error:
                report_unusable_database(context, error)
                await supervisor_pipe.flush()
                return 1
            if locks is None:
                return 0
            if not await self._take_jobs(context, engine, locks):
                return 1
            await engine.unregister_worker(self.worker_id)
            await supervisor_pipe.flush()
        return 0

    async def _initialize(self, context: WorkerContext) -> bool:
        self._initializing = asyncio.create_task(initialize(context))
        try:
            return await self._initializing and not self._halted
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

    async def _join(self, context: WorkerContext, engine: JobEngine) -> WorkerLocks | None:
        """Register this worker, and show with a lock that it lives; return None if it is halted before.

        The write lock may be held for too long, the disk may be full, the server may be unavailable. When the service
        is starting, the supervisor fails the start after the report of this error. A replacement of a dead worker
        keeps trying, because it has jobs to rescue.
        """
        locks = WorkerLocks(self.files, engine, self.worker_id, self.config.lease / BEATS_PER_LEASE)
        context.stack.callback(locks.close)
        guard_against_forks(asyncio.get_running_loop())
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
        while not self._halted:
            try:
                await engine.register_worker(record)
            except (DatabaseLockedError, DatabaseUnavailableError, DiskFullError) as error:
                report_unusable_database(context, error)
                await asyncio.sleep(JOIN_AGAIN_SECONDS)
            else:
                return locks
        return None

    async def _take_jobs(self, context: WorkerContext, engine: JobEngine, locks: WorkerLocks) -> bool:
        """Work until halted; return False if the database was replaced, or its schema changed, before that."""
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def on_end(error: Exception) -> None:
            if isinstance(error, DatabaseReplacedError) and not lost.done():
                lost.set_exception(error)

        async def until_lost() -> None:
            await lost

        def on_change() -> None:
            jobs.on_change()
            locks.on_change()

        def subscribe(callback: Callable[[], None]) -> Callable[[], None]:
            ignore_jobs = engine.on_change(callback, on_end)
            # WorkerLocks must watch new workers, and a new worker changes no job.
            ignore_workers = engine.on_worker(locks.on_change)

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
        jobs.executor.on_stuck = self._on_stuck
        self._jobs = jobs
        if self._halted:
            jobs.fetcher.drain()
        change_gate.listen()
        context.stack.callback(change_gate.close)
        context.supervisor_pipe.send(frames.Ready(self.worker_id))
        background: list[Coroutine[Any, Any, None]] = [
            until_lost(),
            locks.run(),
            heartbeat.run(),
            UnhandledJobs(engine, self.config.unknown_key_grace).run(),
            schedule.run(),
        ]
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

    def _halt(self, *, now: bool) -> None:
        self._halted = True
        if self._initializing is not None:
            self._initializing.cancel()
        if self._jobs is not None:
            self._jobs.fetcher.drain()
            if now:
                self._jobs.executor.release_all()

    def _on_stuck(self) -> None:
        if self._halted:
            return
        _logger.warning(
            "All %d slots of worker %s are held by handlers that ignore their timeout; if none ends within "
            "%g s, the worker ends and is replaced. Check service.cancelled in handlers",
            self.config.concurrency,
            self.worker_id,
            STUCK_SECONDS,
        )
        asyncio.get_running_loop().call_later(STUCK_SECONDS, self._end_if_stuck)

    def _end_if_stuck(self) -> None:
        if self._jobs is not None and self._jobs.executor.is_stuck:
            self._halt(now=False)

    def _follow_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, lambda: self._halt(now=self._halted))

    async def _listen(self, context: WorkerContext, supervisor_pipe: SupervisorPipe) -> None:
        def on_frame(frame: frames.Frame) -> None:
            match frame:
                case frames.Event():
                    context.event_bus.deliver(frame.name, frames.data_of(frame))
                case frames.Halt():
                    self._halt(now=frame.now)
                case _:
                    pass

        try:
            await supervisor_pipe.listen(on_frame)
        except Exception:
            _logger.exception("Worker %s cannot read from its supervisor and ends; it is replaced", self.worker_id)
            self._halt(now=False)
        else:
            self._halt(now=False)
            self._outlive_supervisor()

    def _outlive_supervisor(self) -> None:
        # The pipes to its log are broken; print() in a handler must not fail because of that.
        try:
            log = open_log(self.files.log)
        except OSError:
            log = os.open(os.devnull, os.O_WRONLY)
        for standard in (1, 2):
            os.dup2(log, standard)
        os.close(log)
