"""``tetherpy jobs list``."""

from __future__ import annotations

from typing import Annotated

import typer

from tetherpy.errors import ArgumentError
from tetherpy.jobs import BackgroundJobStatus, JobQuery

from ..output.formats import form_of, print_all, remark
from ..parameters.database_location import existing_jobs
from ..parameters.integers import integer_between
from ..parameters.options import DatabaseOption, JsonOption
from ..parameters.pairs import read_pairs
from .job_columns import JOBS, STATES


async def list_jobs(
    status: Annotated[
        BackgroundJobStatus | None,
        typer.Option(case_sensitive=False, metavar="STATUS", help=f"Only jobs with this status: {STATES}."),
    ] = None,
    key: Annotated[str | None, typer.Option(help="Only jobs with this key.")] = None,
    queue: Annotated[str | None, typer.Option(help="Only jobs in this queue.")] = None,
    text: Annotated[
        str | None, typer.Option(help="Only jobs with this text in key, payload, error, meta or unique key.")
    ] = None,
    meta: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Only jobs whose meta has this pair; may be repeated.")
    ] = None,
    limit: Annotated[
        int, typer.Option(parser=integer_between(0), metavar="NUMBER", help="The maximum number of jobs.")
    ] = 20,
    offset: Annotated[
        int, typer.Option(parser=integer_between(0), metavar="NUMBER", help="The number of jobs to skip.")
    ] = 0,
    cursor: Annotated[
        int | None,
        typer.Option(
            parser=integer_between(0),
            metavar="ID",
            help="Only jobs that follow this one in the list, as on the next page.",
        ),
    ] = None,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """List jobs, newest first."""
    pairs = read_pairs(meta or ())
    try:
        query = JobQuery(
            status=status,
            job_key=key,
            queue=queue,
            text=text,
            meta=pairs,
            limit=limit,
            offset=offset,
            cursor=cursor,
        )
    except ArgumentError as error:
        raise typer.BadParameter(str(error)) from error
    async with existing_jobs(database) as engine:
        jobs = await engine.find(query)
    print_all(form_of(json), JOBS, jobs)
    if jobs.next is not None:
        remark(f"There are more jobs: add --cursor {jobs.next}")
