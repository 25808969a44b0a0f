"""Real processes on one file: pushed changes, shared work, and a worker killed while it has jobs."""

import asyncio
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from tetherpy.database import Database
from tetherpy.jobs import BackgroundJobManager, BackgroundJobStatus, JobCounts, NewJob

WORKER = """
import asyncio, sys
from tetherpy.database import Database
from tetherpy.jobs import Ack, Completed, SqliteJobEngine

async def main(path, worker, slots):
    async with Database.open(path) as db:
        engine = SqliteJobEngine(db)
        acks = []
        while True:
            fetched = await engine.ack_and_fetch(worker, acks, slots)
            assert not fetched.rejected, fetched.rejected
            acks = [Ack(claim, Completed(f'"{worker}"')) for claim in fetched.claims]
            print(len(acks), flush=True)
            if not acks and sys.stdin.readline() == "":
                return

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


async def start_worker(path: Path, name: str, slots: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, str(path), name, str(slots),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def stop_worker(worker: asyncio.subprocess.Process) -> None:
    assert worker.stdin is not None
    worker.stdin.close()
    async with asyncio.timeout(30):
        assert worker.stdout is not None
        await worker.stdout.read()
        assert await worker.wait() == 0


async def test_a_commit_of_another_process_is_pushed_without_a_timer(path):
    async with Database.open(path, safety_interval=None) as db:
        manager = BackgroundJobManager(db)
        job_id = await manager.enqueue("k")
        seen: list[BackgroundJobStatus] = []
        completed = asyncio.Event()

        def take(job):
            seen.append(job.status)
            if job.status is BackgroundJobStatus.COMPLETED:
                completed.set()

        subscription = manager.watch_job(job_id).subscribe(take)
        waiting = asyncio.create_task(manager.wait_for(job_id, 30))
        worker = await start_worker(path, "elsewhere", 1)
        async with asyncio.timeout(30):
            await completed.wait()
        assert (await waiting).result == "elsewhere"
        assert seen[0] is BackgroundJobStatus.PENDING
        subscription.dispose()
        await stop_worker(worker)


async def test_several_processes_run_each_job_once(path):
    async with Database.open(path) as db:
        manager = BackgroundJobManager(db)
        ids = await manager.enqueue_many([NewJob(job_key="k") for _ in range(600)])
        workers = [await start_worker(path, f"w{n}", 5) for n in range(3)]
        await asyncio.gather(*(manager.wait_for(job_id, 60) for job_id in ids))
        for worker in workers:
            await stop_worker(worker)
        attempts = await db.get_all("SELECT job_id, outcome FROM background_service_job_attempts")
        assert Counter(row["job_id"] for row in attempts) == dict.fromkeys(ids, 1)


async def test_jobs_of_a_killed_worker_are_neither_lost_nor_counted_twice(path):
    async with Database.open(path) as db:
        manager = BackgroundJobManager(db)
        engine = manager.engine
        ids = await manager.enqueue_many([NewJob(job_key="k", max_attempts=20) for _ in range(1000)])
        for n in range(6):
            worker = await start_worker(path, f"victim{n}", 10)
            assert worker.stdout is not None
            for _ in range(n + 1):
                await worker.stdout.readline()
            worker.send_signal(signal.SIGKILL)
            await worker.stdout.read()
            assert await worker.wait() == -signal.SIGKILL
            if n % 2:
                await engine.rescue([f"victim{n - 1}", f"victim{n}"])
        survivor = await start_worker(path, "survivor", 50)
        await manager.wait_for(ids[-1], 60)
        await stop_worker(survivor)
        assert await manager.get_counts() == JobCounts(completed=len(ids))
        jobs = await manager.get_all_jobs(limit=None)
        outcomes = Counter(
            (row["job_id"], row["outcome"])
            for row in await db.get_all("SELECT job_id, outcome FROM background_service_job_attempts")
        )
        for job in jobs:
            assert outcomes[job.id, "completed"] == 1
            assert outcomes[job.id, "worker died"] == job.attempts - 1
        assert (await db.get("PRAGMA integrity_check"))[0] == "ok"
