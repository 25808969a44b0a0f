"""``async with BackgroundService(...)`` ends what it has started, and nothing else."""

import asyncio
import subprocess
import sys

import pytest

from tetherpy.jobs import BackgroundJobStatus


async def test_the_block_stops_the_workers_it_has_started_and_they_finish_their_jobs(make_service, manager):
    async with make_service() as service:
        job_id = await service.job("nap", 0.2)
        async for job in manager.watch_job(job_id):
            if job is not None and job.status != BackgroundJobStatus.PENDING:
                break
        assert await service.is_running()
    assert not await service.is_running()
    assert (await manager.get_job_by_id(job_id)).status == BackgroundJobStatus.COMPLETED


@pytest.mark.parametrize("error", [ValueError("no"), asyncio.CancelledError()])
async def test_an_error_in_the_block_stops_them_too(error, make_service):
    service = make_service(stop_timeout=1)
    with pytest.raises(type(error)):
        async with service:
            raise error
    assert not await service.is_running()


async def test_the_block_leaves_workers_that_ran_before(make_service):
    before = make_service()
    await before.start()
    async with make_service() as attached:
        assert await attached.is_running()
    assert await before.is_running()
    async with make_service(detached=False):
        pass
    assert await before.is_running()
    await before.stop(0)


async def test_the_block_leaves_detached_workers(make_service):
    async with make_service(detached=True) as service:
        pass
    assert await service.is_running()
    await service.stop(0)


async def test_the_block_leaves_workers_that_another_process_has_started_meanwhile(make_service):
    other = make_service()
    async with make_service() as service:
        await service.stop(0)
        await other.start()
    assert await other.is_running()
    await other.stop(0)


async def test_start_without_the_block_leaves_the_workers(make_service):
    service = make_service()
    await service.start()
    await service.aclose()
    assert await service.is_running()
    await service.stop(0)


async def test_ctrl_c_in_the_block_stops_the_workers(make_service, database_path):
    script = f"""
import asyncio, os, signal, sys
sys.path[:0] = {sys.path[:1]!r}
from tetherpy.service import BackgroundService
async def main():
    async with BackgroundService({str(database_path)!r}, "plain_worker:initialize"):
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
"""
    ran = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout == "interrupted\n"
    assert not await make_service().is_running()
