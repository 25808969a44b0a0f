"""Enqueue a job only if the same one is not waiting or running."""

from tetherpy import BackgroundJobManager, JobId, ServiceInstance, SqlDatabase, background_job


@background_job("sync")
async def sync(service: ServiceInstance, payload: int, db: SqlDatabase) -> None: ...


async def request_sync(manager: BackgroundJobManager, customer: int) -> JobId[None]:
    return await manager.enqueue(sync, customer, unique_key=f"sync:{customer}")
