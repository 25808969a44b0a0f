"""Wait for the result of a job, with a timeout."""

from tetherpy import BackgroundJobManager, ServiceInstance, SqlDatabase, background_job


@background_job("square")
async def square(service: ServiceInstance, payload: int, db: SqlDatabase) -> int:
    return payload**2


async def squared(manager: BackgroundJobManager, number: int) -> int:
    return await manager.result(await manager.enqueue(square, number), timeout=10)
