"""Jobs reach a worker, and requests a running job, because they are pushed: no timer is involved."""

import asyncio
import contextlib
import os

from tetherpy.database import Database
from tetherpy.jobs import JOB_MIGRATIONS, BackgroundJobManager

# No timer of the worker is shorter than this.
BOUND = 5.0


async def test_an_enqueued_job_reaches_an_idle_worker(make_service, database_path):
    service = make_service("push_worker:initialize")
    await service.start()
    async with Database.open(database_path, migrations=JOB_MIGRATIONS, safety_interval=None) as db:
        manager = BackgroundJobManager(db)
        for number in range(5):
            job = await manager.wait_for(await manager.enqueue("echo", number), timeout=BOUND)
            assert job.result == number
            await settled()


async def settled():
    """Wait until the worker sleeps, so that its work after a job does not find the next one."""
    await asyncio.sleep(0.1)


async def test_a_worker_has_only_the_connections_of_one_database(make_service, finished):
    service = make_service("push_worker:initialize", concurrency=50)
    await service.start()
    for _ in range(20):
        await service.job("echo")
    # One that writes and one that reads.
    assert (await finished(await service.job("connections"))).result == 2


async def test_an_idle_worker_and_supervisor_sleep(make_service, servers, finished):
    service = make_service("push_worker:initialize")
    await service.start()
    await finished(await service.job("echo"))
    await settled()
    before = [switches(process.pid) for process in servers()]
    await asyncio.sleep(1.0)
    woken = [after - start for start, after in zip(before, map(switches, pids(servers)), strict=True)]
    # A heartbeat is sent every ten seconds, a check for hung workers runs every fifteen.
    assert sum(woken) <= 10


def pids(servers):
    return [process.pid for process in servers()]


def switches(pid):
    """Return how often the threads of a process went to sleep."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/task/{thread}/status") as status:
            total += sum(int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt"))
    return total
