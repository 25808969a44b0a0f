"""Cancel a running job."""

import asyncio

from tetherpy import BackgroundJobManager, ServiceInstance, SqlDatabase, background_job


@background_job("export")
async def export(service: ServiceInstance, payload: str, db: SqlDatabase) -> None:
    await asyncio.sleep(3600)


async def stop(manager: BackgroundJobManager, job_id: int) -> None:
    await manager.cancel_job(job_id)
