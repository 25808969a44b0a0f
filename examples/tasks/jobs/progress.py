"""Push the progress of a job to a page, as server-sent events."""

from collections.abc import AsyncIterator

from fastapi.sse import EventSourceResponse

from tetherpy import ServiceInstance, SqlDatabase, background_job

from .lifespan import Manager, app


@background_job("import")
async def import_rows(service: ServiceInstance, payload: int, db: SqlDatabase) -> None:
    for row in range(payload):
        service.report_progress((row + 1) / payload)


@app.get("/imports/{job_id}", response_class=EventSourceResponse)
async def follow(job_id: int, manager: Manager) -> AsyncIterator[float | None]:
    async for job in manager.follow_job(job_id):
        yield job.progress
