"""``tetherpy jobs retry`` and ``tetherpy jobs cancel``."""

from __future__ import annotations

from typing import Annotated

import typer

from tetherpy.ui import CANCEL, RESET_AND_RETRY, RETRY, JobAction

from ..output.formats import form_of, print_all
from ..parameters.database_location import existing_jobs
from ..parameters.options import DatabaseOption, JobIdsArgument, JsonOption
from .job_columns import JOBS
from .refusals import exit_code_of


async def retry_jobs(
    job_ids: JobIdsArgument,
    reset: Annotated[bool, typer.Option("--reset", help="Reset the number of attempts.")] = False,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> int:
    """Make finished jobs PENDING again."""
    return await _run(RESET_AND_RETRY if reset else RETRY, database, json, job_ids)


async def cancel_jobs(job_ids: JobIdsArgument, database: DatabaseOption = None, json: JsonOption = False) -> int:
    """Cancel pending jobs, and ask running ones to stop."""
    return await _run(CANCEL, database, json, job_ids)


async def _run(action: JobAction, database: str | None, json: bool, job_ids: list[int]) -> int:
    """Apply an action, print the changed jobs and the errors; return the exit code."""
    async with existing_jobs(database) as engine:
        results = await action.run(engine, job_ids)
    print_all(form_of(json), JOBS, results.jobs)
    return exit_code_of(results)
