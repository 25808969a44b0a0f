"""Run a job after a delay, and every night."""

from tetherpy import BackgroundJobManager, JobId, ServiceInstance, SqlDatabase, background_job


@background_job("clean")
async def clean(service: ServiceInstance, payload: str, db: SqlDatabase) -> str:
    return f"{payload} is clean"


def initialize(service: ServiceInstance) -> None:
    service.register_periodic_job("nightly", clean, "kitchen", cron="30 2 * * *", time_zone="Europe/Berlin")


async def clean_later(manager: BackgroundJobManager, room: str) -> JobId[str]:
    return await manager.enqueue(clean, room, delay=3600)
