"""Handlers and periodic jobs that are registered while the worker runs."""

import asyncio

from tests.integration.service.conftest import BOUND
from tetherpy.jobs import BackgroundJobStatus


async def test_a_handler_registered_late_is_used_and_known_to_other_workers(make_service, manager):
    service = make_service("late_worker:initialize")
    await service.start()
    early = await service.job("learned")
    await manager.wait_for(await service.job("learn"), BOUND)
    job = await manager.wait_for(early, BOUND)
    assert (job.status, job.result) == (BackgroundJobStatus.COMPLETED, "learned")
    async with asyncio.timeout(BOUND):
        while (await manager.get_workers())[0].job_keys != {"learn", "learned"}:
            await asyncio.sleep(0.01)
        while len(await manager.get_jobs_by_job_key("learned")) < 2:  # the periodic job
            await asyncio.sleep(0.01)
