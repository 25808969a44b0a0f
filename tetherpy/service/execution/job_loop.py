"""The parts of a worker that turn claims into outcomes, joined: the same wherever a worker runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable
from typing import Any

import attrs

from tetherpy.jobs import Clock, JobEngine

from .cancellation_watch import CancellationWatch
from .executor import Executor
from .fetcher import Fetcher
from .job_run import JobRun
from .outcome_policy import OutcomePolicy
from .progress_reports import ProgressBoard
from .service_instance import JobServices, ServiceInstance
from .worker_context import WorkerContext


@attrs.frozen(eq=False)
class JobLoop:
    """Claim, run and settle jobs, store their progress and heed requests to cancel them."""

    fetcher: Fetcher
    executor: Executor
    progress: ProgressBoard
    cancellation: CancellationWatch

    @classmethod
    def of(
        cls,
        context: WorkerContext,
        engine: JobEngine,
        worker_id: str,
        clock: Clock,
        looked: Callable[..., None],
        keys: Callable[[], Collection[str] | None] = lambda: None,
    ) -> JobLoop:
        """Join the parts for what the initialization callback has set up; ``looked`` and ``keys`` are the claimer's."""
        progress = ProgressBoard(engine)

        def service(run: JobRun) -> ServiceInstance:
            context.begin_work()
            return ServiceInstance(context, JobServices(run, engine, progress))

        assert context.database is not None
        executor = Executor(
            registry=context.handlers,
            service=service,
            database=context.database,
            outcome_policy=OutcomePolicy(clock),
            slots=context.config.concurrency,
        )
        fetcher = Fetcher(engine, worker_id, context.config.queues, executor, progress, clock, looked, keys)
        executor.on_acknowledged, executor.on_free = fetcher.acknowledge, fetcher.wake
        cancellation = CancellationWatch(
            engine, worker_id, lambda: executor.running, executor.cancel, lambda: fetcher.is_exchanging
        )
        fetcher.on_begun = cancellation.on_begun
        return cls(fetcher, executor, progress, cancellation)

    def on_change(self) -> None:
        """Note that some job changed."""
        self.fetcher.wake()
        self.cancellation.on_change()

    async def run(self, beside: Iterable[Coroutine[Any, Any, None]] = ()) -> None:
        """Work until the claimer is drained, with others beside it that end then; the failure of any ends all."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part) for part in (self.cancellation.run(), self.progress.run(), *beside)]
            await self.fetcher.run()
            for task in tasks:
                task.cancel()
