"""``tetherpy jobs delete``."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import Annotated

import typer

from tetherpy.durations import duration_text
from tetherpy.jobs import BackgroundJobStatus
from tetherpy.ui import DELETE

from ..output.columns import Column, View
from ..output.formats import Form, emit, form_of, print_row
from ..parameters.database_location import existing_jobs
from ..parameters.durations import read_duration
from ..parameters.options import DatabaseOption, JobIdsArgument, JsonOption
from .job_columns import STATES
from .refusals import exit_code_of

DELETED = View[int]((Column("deleted", str),), lambda count: {"deleted": count})
"""The number of deleted jobs."""


def delete_jobs(
    job_ids: JobIdsArgument = [],  # noqa: B006 - typer reads it, and does not change it
    status: Annotated[
        BackgroundJobStatus | None,
        typer.Option(case_sensitive=False, metavar="STATUS", help=f"All jobs with this status: {STATES}."),
    ] = None,
    older_than: Annotated[
        timedelta | None,
        typer.Option(parser=read_duration, metavar="DURATION", help="Only jobs last updated longer ago, such as 7d."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Skip the confirmation.")] = False,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> int:
    """Delete jobs that are not running: by id, or all with a status."""
    form = form_of(json)
    if bool(job_ids) == (status is not None):
        raise typer.BadParameter("pass either job ids or --status", param_hint="ID... / --status")
    if status is None:
        if older_than is not None:
            raise typer.BadParameter("it requires --status", param_hint="--older-than")
        return asyncio.run(_delete_each(database, form, job_ids))
    if not yes:
        _confirm(status, older_than)
    return asyncio.run(_delete_all(database, form, status, older_than))


def _confirm(status: BackgroundJobStatus, older_than: timedelta | None) -> None:
    """Ask for confirmation, outside the event loop, where Ctrl-C ends the prompt."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise typer.BadParameter("cannot ask for confirmation without a terminal; pass --yes", param_hint="--status")
    age = "" if older_than is None else f" last updated more than {duration_text(older_than)} ago"
    typer.confirm(DELETE.confirm_all(f"all {status} jobs{age}").text, abort=True, err=True)


async def _delete_each(database: str | None, form: Form, job_ids: list[int]) -> int:
    async with existing_jobs(database) as engine:
        results = await DELETE.run(engine, job_ids)
    _print(form, len(results.done))
    return exit_code_of(results)


async def _delete_all(
    database: str | None, form: Form, status: BackgroundJobStatus, older_than: timedelta | None
) -> int:
    async with existing_jobs(database) as engine:
        deleted = await engine.delete_by_status(status, older_than)
    _print(form, deleted)
    return 0


def _print(form: Form, deleted: int) -> None:
    if form is Form.TABLE:
        emit(DELETE.message(deleted))
    else:
        print_row(form, DELETED, deleted)
