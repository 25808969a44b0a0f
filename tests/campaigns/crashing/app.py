"""One app of the campaign: enqueues jobs, records acknowledged ones, and keeps workers running until it is killed."""

import asyncio
import contextlib
import os
import sys
from random import Random

from tetherpy.database import Database, DatabaseUnavailableError
from tetherpy.jobs import BackgroundJobManager, IllegalJobTransitionError, NewJob
from tetherpy.service import BackgroundService, WorkerStartError

from . import script
from .mines import Mine
from .schema import open_database
from .traces import Traces

CALLBACK = "tests.campaigns.crashing.worker:initialize"
CHANCES = {"none": 80, "in a commit": 20}
MAX_UNFINISHED = 60
ROLES = ("starts", "starts attached", "enqueues", "enqueues")


def make_service(traces, database=None, *, detached=True):
    return BackgroundService(
        traces.database,
        CALLBACK,
        processes=2,
        concurrency=4,
        lease=script.LEASE,
        detached=detached,
        database=database,
        start_timeout=20.0,
    )


class App:
    """Enqueue in every possible way, and record each acknowledged job."""

    def __init__(self, traces, random, db, role):
        self.traces, self.random, self.db, self.role = traces, random, db, role
        self.manager = BackgroundJobManager(db)
        self.service = make_service(traces, db, detached=role != "starts attached")
        self.number = 0

    async def run(self):
        while True:
            # A server may be unavailable; jobs that were not acknowledged may be missing.
            with contextlib.suppress(DatabaseUnavailableError):
                await self.do_something()
            await asyncio.sleep(self.random.uniform(0, 0.3))

    async def do_something(self):
        if self.role.startswith("starts"):
            await self.keep_running()
        counts = await self.manager.get_counts()
        if counts.pending + counts.running < MAX_UNFINISHED:
            way = self.random.choice((self.one, self.one, self.many, self.with_order, self.unique, self.cancelled))
            await way()

    async def keep_running(self):
        if await self.service.is_running():
            return
        try:
            await self.service.start()
        except WorkerStartError as error:
            self.traces.note("refused", reason=error.reason, traceback=error.worker_traceback)

    def new_job(self, **options):
        self.number += 1
        (kind,) = self.random.choices(script.KINDS, [kind.weight for kind in script.KINDS])
        token = f"{os.getpid()}-{self.number}"
        return NewJob(
            job_key=kind.key,
            payload={"token": token},
            max_attempts=kind.max_attempts,
            priority=self.random.randint(0, 2),
            delay=self.random.choice((None, None, self.random.uniform(0, 0.5))),
            **options,
        )

    def acknowledged(self, job_id, job):
        token = None if job.unique_key else job.payload["token"]
        self.traces.note("acknowledged", job=job_id, key=job.job_key, token=token)

    async def enqueue(self, job, **options):
        return await self.manager.enqueue(
            job.job_key,
            job.payload,
            max_attempts=job.max_attempts,
            priority=job.priority,
            delay=job.delay,
            unique_key=job.unique_key,
            **options,
        )

    async def one(self):
        job = self.new_job()
        job_id = await self.enqueue(job)
        self.acknowledged(job_id, job)
        return job_id

    async def many(self):
        jobs = [self.new_job() for _ in range(5)]
        for job_id, job in zip(await self.manager.enqueue_many(jobs), jobs, strict=True):
            self.acknowledged(job_id, job)

    async def with_order(self):
        job = self.new_job()
        async with self.db.transaction() as tx:
            await tx.execute("INSERT INTO orders VALUES (?)", (job.payload["token"],))
            job_id = await self.enqueue(job, transaction=tx)
        self.acknowledged(job_id, job)
        self.traces.note("ordered", job=job_id, token=job.payload["token"])

    async def unique(self):
        job = self.new_job(unique_key=f"unique {self.random.randint(0, 9)}")
        self.acknowledged(await self.enqueue(job), job)

    async def cancelled(self):
        job_id = await self.one()
        await asyncio.sleep(self.random.uniform(0, 0.1))
        self.traces.note("cancelled", job=job_id)
        try:
            await self.manager.cancel_job(job_id)
        except IllegalJobTransitionError as error:
            if not error.source.is_finished:
                raise


async def main(role, number):
    traces = Traces.inherited()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), os._exit, 0)
    random = Random(f"{traces.seed} app {number}")
    while True:
        # A server that was killed during its start is started again.
        with contextlib.suppress(DatabaseUnavailableError):
            async with open_database(traces) as db:
                mine = Mine.choose(traces, random, CHANCES)
                if isinstance(db, Database):
                    await db.run(mine.in_commit)
                await App(traces, random, db, role).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
