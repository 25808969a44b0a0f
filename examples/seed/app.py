"""The app side: enqueue and query jobs, from any code with a container."""

from datetime import UTC, datetime

import attrs

from providers import background_job_manager_provider, background_service_provider, database_provider
from tetherpy import BackgroundJob, BackgroundJobStatus, ProviderContainer


async def enqueue_dummy_task(container: ProviderContainer) -> int:
    """Enqueue a job, as in the callback of a button, and return its id."""
    service = container.read(background_service_provider)
    return await service.job(
        "dummyTask",
        {"message": f"Hello from UI at {datetime.now(UTC).isoformat()}"},
        priority=1,
        max_attempts=3,
    )


async def pending_jobs(container: ProviderContainer) -> list[BackgroundJob]:
    """Return the pending jobs."""
    await container.read(database_provider.future)
    job_manager = container.read(background_job_manager_provider)
    return await job_manager.get_jobs_by_status(BackgroundJobStatus.PENDING)


@attrs.frozen
class MyBackgroundJobEnqueueService:
    """A service class of the app that enqueues jobs; it holds a long-lived container."""

    container: ProviderContainer

    async def schedule_report_generation(self, report_type: str) -> int:
        """Enqueue a report and return the job's id."""
        return await self.container.read(background_service_provider).job(
            "generateReport",
            {"message": report_type, "requested_by": "main process"},
        )


async def check_job_status_utility(container: ProviderContainer, job_id: int) -> str:
    """Describe a job in one line, from a temporary child container."""
    async with ProviderContainer(parent=container) as temporary:
        await temporary.read(database_provider.future)
        job = await temporary.read(background_job_manager_provider).get_job_by_id(job_id)
    if job is None:
        return f"Job {job_id} not found."
    return f"Job {job_id} status: {job.status}, attempts: {job.attempts}"
