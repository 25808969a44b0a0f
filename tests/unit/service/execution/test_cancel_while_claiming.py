"""A cancellation request that arrives during a fetch that claims its job."""

import asyncio

from tetherpy.database import Database
from tetherpy.jobs import JOB_MIGRATIONS, BackgroundJobManager, BackgroundJobStatus, SqliteJobEngine, utc_now
from tetherpy.service.execution.job_loop import JobLoop
from tetherpy.service.execution.notification import Notification
from tetherpy.service.execution.service_instance import ServiceInstance
from tetherpy.service.execution.worker_context import WorkerContext
from tetherpy.service.protocol.settings import WorkerConfig
from tetherpy.service.worker.local_outbox import LocalOutbox

BOUND = 25


class SlowAnswers(SqliteJobEngine):
    """The real engine; fetches that claimed jobs return only when ``arrive`` is set."""

    def __init__(self, db):
        super().__init__(db)
        self.claimed, self.arrive = asyncio.Event(), asyncio.Event()

    async def ack_and_fetch(self, *given):
        answer = await super().ack_and_fetch(*given)
        if answer.claims:
            self.claimed.set()
            await self.arrive.wait()
        return answer


async def until_cancelled(service, payload, db):
    await asyncio.Event().wait()


async def test_a_cancellation_requested_during_the_claim_is_applied_when_the_job_starts(tmp_path, no_hidden_writer):
    async with Database.open(tmp_path / "app.db", migrations=JOB_MIGRATIONS) as db:
        engine, manager = SlowAnswers(db), BackgroundJobManager(db)
        context = WorkerContext(
            WorkerConfig(database="app.db", callback=""),
            LocalOutbox(print),
            None,
            Notification("", "", print),
            database=db,
        )
        ServiceInstance(context).register_job_handler("k", until_cancelled)
        loop = JobLoop.of(context, engine, "me", utc_now, lambda *, all_busy: None)
        engine.on_change(loop.on_change)
        job_id = await manager.enqueue("k")
        working = asyncio.create_task(loop.run())
        async with asyncio.timeout(BOUND):
            await engine.claimed.wait()
            heard = asyncio.Event()
            engine.on_change(heard.set)
            await manager.cancel_job(job_id)
            await heard.wait()
            engine.arrive.set()
            job = await manager.wait_for(job_id)
        assert job.status is BackgroundJobStatus.CANCELLED
        loop.fetcher.drain()
        await working
