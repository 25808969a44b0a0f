"""Wait until a job has finished, by change notifications and not by polling."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from ..errors import JobNotFoundError, JobWaitTimeoutError
from ..model import BackgroundJob
from .job_queries import OneJob
from .live_views import Listener, LiveViewHub
from .observed_waits import observed_wait


async def wait_until_finished(hub: LiveViewHub, job_id: int, limit: timedelta | None) -> BackgroundJob:
    """Wait until a job is COMPLETED, FAILED or CANCELLED, and return it.

    Raises ``JobWaitTimeoutError`` after ``limit``, ``JobNotFoundError`` if the job does not exist or is deleted.
    """
    # Most waits for a job that has finished already need no view.
    last = await hub.store.get(job_id)
    if last is None:
        raise JobNotFoundError(job_id)
    if last.status.is_finished:
        return last
    finished: asyncio.Future[BackgroundJob] = asyncio.get_running_loop().create_future()

    def take(job: BackgroundJob | None) -> None:
        nonlocal last
        if finished.done():
            return
        if job is None:
            finished.set_exception(JobNotFoundError(job_id))
            return
        last = job
        if job.status.is_finished:
            finished.set_result(job)

    def give_up(error: Exception) -> None:
        if not finished.done():
            finished.set_exception(error)

    stop = hub.listen(OneJob(job_id), Listener(take, give_up, give_up))
    try:
        with observed_wait(job_id):
            async with asyncio.timeout(None if limit is None else limit.total_seconds()):
                return await finished
    except TimeoutError as error:
        if limit is None:
            raise
        raise JobWaitTimeoutError(job_id, limit, last.status) from error
    finally:
        stop()
