"""The middle of the demo: kill the service while it works."""

import os
import signal

from providers import background_job_manager_provider, job_counts_stream_provider, service_state_stream_provider
from tetherpy import JobCounts, ProviderContainer, ServiceState


async def kill_in_mid_work(container: ProviderContainer, total: int) -> frozenset[int]:
    """Kill every process of the service with SIGKILL once a quarter is done; return the jobs that were running."""
    await until_counts(container, total // 4)
    state = await until_service(container, running=True)
    os.killpg(os.getpgid(state.workers[0].pid), signal.SIGKILL)
    running = await container.read(background_job_manager_provider).get_jobs_by_status("RUNNING")
    await until_service(container, running=False)
    return frozenset(job.id for job in running)


async def until_counts(container: ProviderContainer, completed: int) -> JobCounts:
    """Wait until ``completed`` jobs are completed and others are running."""
    async for state in container.stream(job_counts_stream_provider):
        counts = state.value
        if counts is not None and counts.completed >= completed and counts.running:
            return counts
    raise RuntimeError("the container was disposed")


async def until_service(container: ProviderContainer, *, running: bool) -> ServiceState:
    """Wait until the service runs with a worker, or has stopped."""
    async for state in container.stream(service_state_stream_provider):
        service = state.value
        if service is not None and service.running == running and (service.workers or not running):
            return service
    raise RuntimeError("the container was disposed")
