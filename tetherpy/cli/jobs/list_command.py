"""``tetherpy jobs list``."""

from __future__ import annotations

from typing import Annotated

import typer

from tetherpy.jobs import BackgroundJobStatus, JobQuery

from ..output.formats import form_of, print_all
from ..parameters.database_location import existing_jobs
from ..parameters.integers import whole_number
from ..parameters.options import DatabaseOption, JsonOption
from .job_columns import JOBS, STATES


async def list_jobs(
    status: Annotated[
        BackgroundJobStatus | None,
        typer.Option(case_sensitive=False, metavar="STATUS", help=f"Only jobs in this state: {STATES}."),
    ] = None,
    key: Annotated[str | None, typer.Option(help="Only jobs of this key.")] = None,
    queue: Annotated[str | None, typer.Option(help="Only jobs of this queue.")] = None,
    text: Annotated[str | None, typer.Option(help="Only jobs with this in key, payload, error or unique key.")] = None,
    limit: Annotated[int, typer.Option(parser=whole_number(0), metavar="NUMBER", help="At most this many.")] = 20,
    offset: Annotated[int, typer.Option(parser=whole_number(0), metavar="NUMBER", help="Skip this many first.")] = 0,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """List jobs, the newest first."""
    query = JobQuery(
        status=status, job_key=key, queue=queue, text=text, limit=limit, offset=offset, order_by_creation="DESC"
    )
    async with existing_jobs(database) as engine:
        jobs = await engine.find(query)
    print_all(form_of(json), JOBS, jobs)
