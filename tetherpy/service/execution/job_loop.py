"""Put together what runs jobs, in a worker process or inline: fetcher, executor, progress, cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable
from typing import Any

import attrs

from tetherpy.database import Portal, SqlDatabase, SyncDatabase, redacted
from tetherpy.jobs import JobEngine, WallClock

from ..logs.attempt_logs import AttemptLogs
from .cancellation_watch import CancellationWatch
from .executor import Executor
from .fetcher import Fetcher
from .handlers import JobHandler
from .job_run import JobRun
from .outcome_policy import OutcomePolicy
from .progress_reports import ProgressBoard
from .service_instance import JobServices, ServiceBase, ServiceInstance, SyncServiceInstance
from .worker_context import WorkerContext


@attrs.frozen(eq=False)
class JobLoop:
    """Claim, run and acknowledge jobs, store their progress, and cancel them on request."""

    fetcher: Fetcher
    executor: Executor
    progress: ProgressBoard
    cancellation: CancellationWatch
    _portal: Portal

    @classmethod
    def of(
        cls,
        context: WorkerContext,
        engine: JobEngine,
        worker_id: str,
        clock: WallClock,
        on_fetched: Callable[..., None],
        keys: Callable[[], Collection[str] | None] = lambda: None,
    ) -> JobLoop:
        """Create the parts for an initialized context; ``on_fetched`` and ``keys`` are those of ``Fetcher``."""
        db = context.database
        assert db is not None
        progress = ProgressBoard(engine)
        portal = Portal(redacted(db.address), asyncio.get_running_loop())
        sync_db = SyncDatabase.of(portal, db)

        def arguments(run: JobRun, handler: JobHandler) -> tuple[ServiceBase, SqlDatabase | SyncDatabase]:
            context.begin_work()
            services = JobServices(run, engine, progress)
            if handler.takes_sync:
                return SyncServiceInstance(context, services, portal=portal), sync_db
            return ServiceInstance(context, services), db

        executor = Executor(
            registry=context.handlers,
            arguments=arguments,
            outcome_policy=OutcomePolicy(clock),
            slots=context.config.concurrency,
            logs=AttemptLogs(context.config.job_logs, progress.report, context.in_loop),
        )
        fetcher = Fetcher(engine, worker_id, context.config.queues, executor, progress, clock, on_fetched, keys)
        executor.on_acknowledged, executor.on_free = fetcher.acknowledge, fetcher.wake
        cancellation = CancellationWatch(
            engine, worker_id, lambda: executor.running, executor.cancel, lambda: fetcher.is_fetching
        )
        fetcher.on_begun = cancellation.on_begun
        return cls(fetcher, executor, progress, cancellation, portal)

    def on_change(self) -> None:
        """Record that jobs have changed."""
        self.fetcher.wake()
        self.cancellation.on_change()

    async def run(self, background: Iterable[Coroutine[Any, Any, None]] = ()) -> None:
        """Work until the fetcher is drained; run ``background`` coroutines until then. If one fails, all end."""
        try:
            async with asyncio.TaskGroup() as group:
                parts = (self.cancellation.run(), self.progress.run(), *background)
                tasks = [group.create_task(part) for part in parts]
                await self.fetcher.run()
                self.executor.logs.stop()
                for task in tasks:
                    task.cancel()
        finally:
            self._portal.close()
            self.executor.close()
