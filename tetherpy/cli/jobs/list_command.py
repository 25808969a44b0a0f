"""``tetherpy jobs list``."""

from __future__ import annotations

from typing import Annotated

import typer

from tetherpy.jobs import BackgroundJobStatus, JobQuery

from ..output.formats import form_of, print_all
from ..parameters.database_location import existing_jobs
from ..parameters.integers import integer_between
from ..parameters.options import DatabaseOption, JsonOption
from .job_columns import JOBS, STATES


async def list_jobs(
    status: Annotated[
        BackgroundJobStatus | None,
        typer.Option(case_sensitive=False, metavar="STATUS", help=f"Only jobs with this status: {STATES}."),
    ] = None,
    key: Annotated[str | None, typer.Option(help="Only jobs with this key.")] = None,
    queue: Annotated[str | None, typer.Option(help="Only jobs in this queue.")] = None,
    text: Annotated[
        str | None, typer.Option(help="Only jobs with this text in key, payload, error or unique key.")
    ] = None,
    limit: Annotated[
        int, typer.Option(parser=integer_between(0), metavar="NUMBER", help="The maximum number of jobs.")
    ] = 20,
    offset: Annotated[
        int, typer.Option(parser=integer_between(0), metavar="NUMBER", help="The number of jobs to skip.")
    ] = 0,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """List jobs, newest first."""
    query = JobQuery(status=status, job_key=key, queue=queue, text=text, limit=limit, offset=offset)
    async with existing_jobs(database) as engine:
        jobs = await engine.find(query)
    print_all(form_of(json), JOBS, jobs)
