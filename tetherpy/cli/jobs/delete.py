"""``tetherpy jobs delete``."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import Annotated

import typer

from tetherpy.jobs import BackgroundJobStatus, JobError, JobNotFoundError

from ..output.columns import Column, View
from ..output.error_reporting import FAILED, complain
from ..output.formats import Form, emit, form_of, print_row
from ..parameters.database_location import existing_jobs
from ..parameters.durations import read_duration, span
from ..parameters.options import DatabaseOption, JobIdsArgument, JsonOption
from .job_columns import STATES

DELETED = View[int]((Column("deleted", str),), lambda count: {"deleted": count})
"""How many jobs are gone."""


def delete_jobs(
    job_ids: JobIdsArgument = [],  # noqa: B006 - typer reads it, nobody changes it
    status: Annotated[
        BackgroundJobStatus | None,
        typer.Option(case_sensitive=False, metavar="STATUS", help=f"All jobs in this state: {STATES}."),
    ] = None,
    older_than: Annotated[
        timedelta | None,
        typer.Option(parser=read_duration, metavar="DURATION", help="Only those last changed longer ago, such as 7d."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> int:
    """Delete jobs that do not run: some by id, or all of a status."""
    form = form_of(json)
    if bool(job_ids) == (status is not None):
        raise typer.BadParameter("give the ids of jobs, or --status; one of the two", param_hint="ID... / --status")
    if status is None:
        if older_than is not None:
            raise typer.BadParameter("it belongs to --status", param_hint="--older-than")
        return asyncio.run(_delete_each(database, form, job_ids))
    if not yes:
        _confirm(status, older_than)
    return asyncio.run(_delete_all(database, form, status, older_than))


def _confirm(status: BackgroundJobStatus, older_than: timedelta | None) -> None:
    """Ask a person; outside a loop, where Ctrl-C ends the question."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise typer.BadParameter("nobody can be asked here, so say --yes if you mean it", param_hint="--status")
    age = "" if older_than is None else f" last changed more than {span(older_than.total_seconds())} ago"
    typer.confirm(f"Delete all {status} jobs{age}?", abort=True, err=True)


async def _delete_each(database: str | None, form: Form, job_ids: list[int]) -> int:
    refused: list[JobError] = []
    async with existing_jobs(database) as engine:
        for job_id in job_ids:
            try:
                if not await engine.delete(job_id):
                    raise JobNotFoundError(job_id)
            except JobError as error:
                refused.append(error)
    _tell(form, len(job_ids) - len(refused))
    for refusal in refused:
        complain(refusal)
    return FAILED if refused else 0


async def _delete_all(
    database: str | None, form: Form, status: BackgroundJobStatus, older_than: timedelta | None
) -> int:
    async with existing_jobs(database) as engine:
        deleted = await engine.delete_by_status(status, older_than)
    _tell(form, deleted)
    return 0


def _tell(form: Form, deleted: int) -> None:
    if form is Form.TABLE:
        emit(f"{deleted} {'job' if deleted == 1 else 'jobs'} deleted.")
    else:
        print_row(form, DELETED, deleted)
