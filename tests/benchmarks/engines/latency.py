"""Latency: from a commit in one process to a subscriber in another, and from enqueue to completion."""

import asyncio
import os
import subprocess
import sys
import time

import attrs

from tetherpy.jobs import BackgroundJobManager, open_database
from tetherpy.service import BackgroundService

from .systems import PATHS, ROOT

TRIES = 100

WRITER = """
import asyncio, sys, time
from tetherpy.jobs import NewJob, open_engine
async def main():
    async with open_engine(sys.argv[1]) as engine:
        await engine.enqueue([NewJob(job_key="first", queue="nobody")])
        for line in sys.stdin:
            await engine.enqueue([NewJob(job_key="news", queue="nobody")])
            print(time.monotonic(), flush=True)
asyncio.run(main())
"""


@attrs.frozen
class Percentiles:
    """Milliseconds."""

    p50: float
    p99: float

    @classmethod
    def of(cls, seconds):
        ordered = sorted(1000 * value for value in seconds)
        return cls(ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)])


async def push(address):
    """Measure from the return of enqueue in another process to the value of a counts stream here."""
    async with open_database(address) as db:
        values = asyncio.Queue()
        subscription = (
            BackgroundJobManager(db)
            .watch_counts()
            .subscribe(lambda counts: values.put_nowait((counts.pending, time.monotonic())))
        )
        await values.get()
        writer = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(address), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )
        expected, _ = await values.get()
        seconds = []
        for _ in range(TRIES):
            await asyncio.sleep(0.1)  # so that it is idle again
            writer.stdin.write(b"\n")
            committed = float(await writer.stdout.readline())
            expected += 1
            while (value := await asyncio.wait_for(values.get(), 10))[0] < expected:
                pass
            seconds.append(max(value[1] - committed, 0.0))
        subscription.dispose()
        writer.stdin.close()
        await writer.wait()
        return Percentiles.of(seconds)


async def round_trip(address):
    """Measure from the call of enqueue on an idle queue to the completion seen by the caller."""
    async with open_database(address) as db:
        service = BackgroundService(address, "noop_worker:initialize", database=db)
        await service.start()
        manager = BackgroundJobManager(db)
        seconds = []
        for number in range(TRIES + 10):
            await asyncio.sleep(0.1)  # so that it is idle again
            begin = time.monotonic()
            await manager.wait_for(await manager.enqueue("noop"), 10)
            if number >= 10:
                seconds.append(time.monotonic() - begin)
        await service.stop(5)
        await service.aclose()
        return Percentiles.of(seconds)


async def procrastinate_round_trip(url):
    """Measure the same for Procrastinate, whose status is polled every millisecond because it sends no events."""
    code = f"""
import asyncio, os, time
os.environ["BENCH_URL"] = {url!r}
from procrastinate_app import app, noop
async def main():
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        worker = asyncio.create_subprocess_exec({sys.executable!r}, "-W", "ignore", "-c",
            "import procrastinate_app; procrastinate_app.main()")
        worker = await worker
        try:
            for number in range({TRIES} + 10):
                await asyncio.sleep(0.1)  # so that it is idle again
                begin = time.monotonic()
                job_id = await noop.defer_async(n=1)
                while (await app.job_manager.get_job_status_async(job_id)).value != "succeeded":
                    await asyncio.sleep(0.001)
                if number >= 10:
                    print(time.monotonic() - begin)
        finally:
            worker.kill()
            await worker.wait()
asyncio.run(main())
"""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, **PATHS},
        capture_output=True,
        text=True,
        check=True,
    )
    return Percentiles.of([float(line) for line in done.stdout.split()])
