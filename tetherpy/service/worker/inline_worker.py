"""A worker for tests that runs in the caller's event loop instead of a process."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any, Self

import attrs

from tetherpy.database import Database
from tetherpy.jobs import JOB_MIGRATIONS, Ack, SqliteJobEngine, WallClock, utc_now

from ..execution.job_loop import JobLoop
from ..execution.notification import Notification
from ..execution.service_instance import ServiceInstance
from ..execution.worker_context import WorkerContext
from ..logs.records import job_records
from ..protocol import frames
from ..protocol.callback_name import name_of, resolve
from ..protocol.settings import WorkerConfig
from .local_outbox import LocalOutbox
from .periodic_jobs import PeriodicSchedule

WORKER_ID = "inline"
LONGEST_NAP = timedelta(days=365)
"""The clock of a test changes only on purpose, so a schedule need not check it during a sleep."""


@attrs.define(eq=False)
class InlineWorker:
    """Run jobs in the current event loop with the parts of a worker process, for tests.

    Jobs are claimed only while ``drain`` runs; periodic jobs are enqueued after ``follow_schedules``. ``service`` is
    the argument for an initialization callback.
    """

    context: WorkerContext
    engine: SqliteJobEngine
    messages: list[tuple[str, Any]] = attrs.field(init=False, factory=list[tuple[str, Any]])
    """The messages that its handlers have sent to apps."""
    _jobs: JobLoop | None = attrs.field(init=False, default=None)
    _schedule: asyncio.Task[None] | None = attrs.field(init=False, default=None)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, database: Database, *, clock: WallClock = utc_now, concurrency: int = 10
    ) -> AsyncGenerator[Self]:
        """Open a worker on a database; context managers that its callback entered exit at the end of the block."""
        await database.migrate(JOB_MIGRATIONS)
        config = WorkerConfig(database=str(database.path), callback="", concurrency=concurrency)
        async with AsyncExitStack() as stack:
            stack.enter_context(job_records())
            outbox = LocalOutbox(lambda frame: worker._on_frame(frame))  # noqa: PLW0108 - the worker needs the context
            context = WorkerContext(config, outbox, stack, Notification("", "", outbox.send), database=database)
            worker = cls(context, SqliteJobEngine(database, clock=clock))
            stack.push_async_callback(worker._close)
            yield worker

    @property
    def service(self) -> ServiceInstance:
        """Return the service that is passed to the initialization callback."""
        return ServiceInstance(self.context)

    @property
    def running(self) -> frozenset[int]:
        """Return the running jobs."""
        return frozenset() if self._jobs is None else self._jobs.executor.running

    async def initialize(self, callback: str | Callable[[ServiceInstance], Awaitable[None] | None]) -> None:
        """Call an initialization callback, a function or ``"module:function"``; its errors pass through."""
        result = (resolve(name_of(callback)) if isinstance(callback, str) else callback)(self.service)
        if inspect.isawaitable(result):
            await result

    def follow_schedules(self) -> None:
        """Enqueue the registered periodic jobs at their ticks from now on."""
        if self._schedule is not None:
            self._schedule.cancel()
        jobs = tuple(self.context.periodic.values())
        schedule = PeriodicSchedule(jobs, self.engine, self.engine.clock, LONGEST_NAP)
        self._schedule = asyncio.get_running_loop().create_task(schedule.run())

    async def drain(self, on_acknowledged: Callable[[Ack], None]) -> None:
        """Run all due jobs, including those that become due or are enqueued during the call; return when none is left.

        ``on_acknowledged`` is called with the outcome of each attempt.
        """
        loop = asyncio.get_running_loop()

        def end_if_idle() -> None:
            if jobs.fetcher.is_idle:
                jobs.fetcher.drain()

        def on_fetched(*, all_busy: bool) -> None:
            # The claimed jobs have not started yet.
            loop.call_soon(end_if_idle)

        def acknowledged(ack: Ack, may_be_stored: bool) -> None:
            on_acknowledged(ack)
            jobs.fetcher.acknowledge(ack, may_be_stored)

        jobs = self._jobs = JobLoop.of(self.context, self.engine, WORKER_ID, self.engine.clock, on_fetched)
        jobs.executor.on_acknowledged = acknowledged
        ignore = self.engine.on_change(jobs.cancellation.on_change)
        try:
            await jobs.run()
        finally:
            ignore()
            jobs.executor.release_all()

    def stop(self) -> None:
        """Stop claiming in this ``drain``; running jobs are finished."""
        if self._jobs is not None:
            self._jobs.fetcher.drain()

    def _on_frame(self, frame: frames.Frame) -> None:
        match frame:
            case frames.Event():
                self.messages.append((frame.name, frames.data_of(frame)))
            case frames.Stop():
                self.stop()
            case _:
                pass

    async def _close(self) -> None:
        if self._jobs is not None:
            self._jobs.executor.release_all()
        if self._schedule is not None:
            self._schedule.cancel()
            await asyncio.wait([self._schedule])
