"""Define a job and enqueue it."""

from tetherpy import BackgroundJobManager, JobId, ServiceInstance, SqlDatabase, background_job


@background_job("greet")
async def greet(service: ServiceInstance, payload: str, db: SqlDatabase) -> str:
    return f"Hello {payload}!"


async def sign_up(manager: BackgroundJobManager, name: str) -> JobId[str]:
    return await manager.enqueue(greet, name)
