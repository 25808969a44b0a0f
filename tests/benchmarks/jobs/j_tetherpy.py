"""tetherpy in the jobs harness: the service's worker in the foreground, the manager as the client."""

import sys
from pathlib import Path

from base import DIR, SLOTS, AsyncJobsAdapter, dist_version, run_job_async

from tetherpy.distribution import DISTRIBUTION

DATABASE = DIR / "tetherpy.db"


def initialize(service):
    for kind in ("noop", "stamp", "hang"):
        service.register_job_handler(kind, handler_of(kind))


def handler_of(kind):
    async def handle(service, payload, db):
        return await run_job_async(kind, payload)

    return handle


class Adapter(AsyncJobsAdapter):
    name = "tetherpy"
    version = dist_version(DISTRIBUTION)
    durability = "WAL, synchronous=NORMAL"
    slots_note = "concurrency 10"
    recover_note = "(default) liveness by lock"

    async def aopen(self):
        from tetherpy.database import Database
        from tetherpy.jobs import JOB_MIGRATIONS, BackgroundJobManager

        self.opening = Database.open(DATABASE, migrations=JOB_MIGRATIONS)
        self.db = await self.opening.__aenter__()
        self.manager = BackgroundJobManager(self.db)

    async def aclose(self):
        await self.db.aclose()

    def worker_argv(self, slots):
        return [sys.executable, __file__, str(slots)]

    async def aenqueue(self, kind, i):
        return await self.manager.enqueue(kind, i)

    async def aenqueue_bulk(self, kind, ids):
        from tetherpy.jobs import NewJob

        await self.manager.enqueue_many([NewJob(job_key=kind, payload=i) for i in ids])

    async def await_done(self, handle, timeout):
        await self.manager.wait_for(handle, timeout=timeout)


if __name__ == "__main__":
    from tetherpy.service import run_worker

    sys.path.insert(0, str(Path(__file__).parent))
    sys.exit(
        run_worker(
            DATABASE, "adapters.j_tetherpy:initialize", concurrency=int(sys.argv[1] if len(sys.argv) > 1 else SLOTS)
        )
    )
