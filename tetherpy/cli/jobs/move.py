"""``tetherpy jobs retry`` and ``tetherpy jobs cancel``: one move for each of some jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from tetherpy.jobs import BackgroundJob, JobEngine, JobError

from ..output.error_reporting import FAILED, complain
from ..output.formats import form_of, print_all
from ..parameters.database_location import existing_jobs
from ..parameters.options import DatabaseOption, JobIdsArgument, JsonOption
from .job_columns import JOBS


async def retry_jobs(
    job_ids: JobIdsArgument,
    reset: Annotated[bool, typer.Option("--reset", help="Reset the number of attempts.")] = False,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> int:
    """Make finished jobs PENDING again."""
    return await _move_each(database, json, job_ids, lambda engine, job_id: engine.retry(job_id, reset_attempts=reset))


async def cancel_jobs(job_ids: JobIdsArgument, database: DatabaseOption = None, json: JsonOption = False) -> int:
    """Cancel pending jobs, and ask running ones to stop."""
    return await _move_each(database, json, job_ids, lambda engine, job_id: engine.request_cancel(job_id))


async def _move_each(
    database: str | None, json: bool, job_ids: list[int], move: Callable[[JobEngine, int], Awaitable[BackgroundJob]]
) -> int:
    """Move every job that can be moved, print those, complain of the others; return the exit code."""
    moved: list[BackgroundJob] = []
    refused: list[JobError] = []
    async with existing_jobs(database) as engine:
        for job_id in job_ids:
            try:
                moved.append(await move(engine, job_id))
            except JobError as error:
                refused.append(error)
    print_all(form_of(json), JOBS, moved)
    for refusal in refused:
        complain(refusal)
    return FAILED if refused else 0
