"""A worker without a process: the same parts, in the loop of whoever calls it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any, Self

import attrs

from tetherpy.database import Database
from tetherpy.jobs import JOB_MIGRATIONS, Ack, Clock, SqliteJobEngine, utc_now

from ..execution.job_loop import JobLoop
from ..execution.notification import Notification
from ..execution.service_instance import ServiceInstance
from ..execution.worker_context import WorkerContext
from ..protocol import frames
from ..protocol.callback_name import name_of, resolve
from ..protocol.settings import WorkerConfig
from .periodic_jobs import PeriodicSchedule

WORKER_ID = "inline"
LONGEST_NAP = timedelta(days=365)
"""The clock of a test is moved on purpose only, so a schedule need not look at it in between."""


@attrs.define(eq=False)
class LocalOutbox:
    """Take the frames of a worker that has no supervisor: messages are kept, a wish to stop is passed on."""

    stop: Callable[[], None] = attrs.field(init=False)
    messages: list[tuple[str, Any]] = attrs.field(init=False, factory=list[tuple[str, Any]])

    def send(self, frame: frames.Frame) -> None:
        """Heed a frame that asks for something."""
        match frame:
            case frames.Event():
                self.messages.append((frame.name, frames.data_of(frame)))
            case frames.Stop():
                self.stop()
            case _:
                pass

    async def send_event(self, data: bytes) -> None:
        """Keep the message in an encoded frame."""
        self.send(frames.decode(data))


@attrs.define(eq=False)
class InlineWorker:
    """Do jobs here and now, with the parts of a worker process and none of the process: for tests.

    Jobs are claimed while ``drain`` runs and at no other time; periodic jobs are enqueued after
    ``follow_schedules``. ``service`` is what an initialization callback is given.
    """

    context: WorkerContext
    engine: SqliteJobEngine
    outbox: LocalOutbox
    _jobs: JobLoop | None = attrs.field(init=False, default=None)
    _schedule: asyncio.Task[None] | None = attrs.field(init=False, default=None)

    @classmethod
    @asynccontextmanager
    async def open(cls, database: Database, *, clock: Clock = utc_now, concurrency: int = 10) -> AsyncGenerator[Self]:
        """Open a worker on a database; what its callback entered is left at the end of the block."""
        await database.migrate(JOB_MIGRATIONS)
        config = WorkerConfig(database=str(database.path), callback="", concurrency=concurrency)
        async with AsyncExitStack() as stack:
            outbox = LocalOutbox()
            context = WorkerContext(config, outbox, stack, Notification("", "", outbox.send), database=database)
            worker = cls(context, SqliteJobEngine(database, clock=clock), outbox)
            outbox.stop = worker.stop
            stack.push_async_callback(worker._close)
            yield worker

    @property
    def service(self) -> ServiceInstance:
        """Speak for the worker, as its initialization callback does."""
        return ServiceInstance(self.context)

    @property
    def running(self) -> frozenset[int]:
        """Return the jobs that run now."""
        return frozenset() if self._jobs is None else self._jobs.executor.running

    async def initialize(self, callback: str | Callable[[ServiceInstance], Awaitable[None] | None]) -> None:
        """Call an initialization callback, given as a function or by its name ``"module:function"``.

        What it raises passes through.
        """
        result = (resolve(name_of(callback)) if isinstance(callback, str) else callback)(self.service)
        if inspect.isawaitable(result):
            await result

    def follow_schedules(self) -> None:
        """Enqueue the periodic jobs that are registered now at their ticks from now on."""
        if self._schedule is not None:
            self._schedule.cancel()
        jobs = tuple(self.context.periodic.values())
        schedule = PeriodicSchedule(jobs, self.engine, self.engine.clock, LONGEST_NAP)
        self._schedule = asyncio.get_running_loop().create_task(schedule.run())

    async def drain(self, on_acknowledged: Callable[[Ack], None]) -> None:
        """Run all jobs that are due, those included that fall due or are enqueued meanwhile; return when none is left.

        ``on_acknowledged`` is told how each attempt ended.
        """
        loop = asyncio.get_running_loop()

        def end_if_idle() -> None:
            if jobs.fetcher.is_idle:
                jobs.fetcher.drain()

        def looked(*, all_busy: bool) -> None:
            # What was claimed has not begun yet.
            loop.call_soon(end_if_idle)

        def acknowledged(ack: Ack, may_be_stored: bool) -> None:
            on_acknowledged(ack)
            jobs.fetcher.acknowledge(ack, may_be_stored)

        jobs = self._jobs = JobLoop.of(self.context, self.engine, WORKER_ID, self.engine.clock, looked)
        jobs.executor.on_acknowledged = acknowledged
        ignore = self.engine.on_change(jobs.cancellation.on_change)
        try:
            await jobs.run()
        finally:
            ignore()
            jobs.executor.release_all()

    def stop(self) -> None:
        """Claim nothing more in this ``drain``: what runs is finished."""
        if self._jobs is not None:
            self._jobs.fetcher.drain()

    async def _close(self) -> None:
        if self._jobs is not None:
            self._jobs.executor.release_all()
        if self._schedule is not None:
            self._schedule.cancel()
            await asyncio.wait([self._schedule])
