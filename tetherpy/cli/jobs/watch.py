"""``tetherpy jobs watch``."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated

import typer

from tetherpy.jobs import BackgroundJob, BackgroundJobStatus, JobStore

from ..errors import JobsFailedError
from ..output.formats import Form, form_of, print_row
from ..parameters.database_location import existing_jobs
from ..parameters.integers import integer_between
from ..parameters.options import DatabaseOption, JsonOption
from .follow import Changes, follow_all, follow_each
from .job_columns import JOBS
from .worker_hint import hint_at_workers

BEGINNING_OF_TIME = datetime.min.replace(tzinfo=UTC)


async def watch_jobs(
    job_ids: Annotated[
        list[int], typer.Argument(metavar="[ID]...", parser=integer_between(1), help="The jobs; all if not given.")
    ] = [],  # noqa: B006 - typer reads it, and does not change it
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Follow jobs as they change.

    With ids: until all of them have ended; the exit code is 1 unless all are COMPLETED. Without ids: until Ctrl-C.
    """
    form = form_of(json)
    async with existing_jobs(database) as engine:
        if job_ids:
            found = [await engine.get(job_id) for job_id in job_ids]
            if any(job is not None and job.status is BackgroundJobStatus.PENDING for job in found):
                await hint_at_workers(engine)
            await _watch_each(engine, form, list(dict.fromkeys(job_ids)))
        else:
            await _watch_all(engine, form)


async def _watch_each(store: JobStore, form: Form, job_ids: list[int]) -> None:
    jobs: list[BackgroundJob] = []
    async with aclosing(follow_each(store, job_ids)) as looks:
        if form is Form.TABLE:
            from .watch_screen import Screen

            with Screen() as screen:
                async for jobs in looks:
                    screen.show(jobs)
        else:
            changes = Changes(BEGINNING_OF_TIME)
            async for jobs in looks:
                for job in changes.among(jobs):
                    print_row(form, JOBS, job)
    failed = [job for job in jobs if job.status is not BackgroundJobStatus.COMPLETED]
    if failed:
        raise JobsFailedError([(job.id, job.status.value, job.last_error) for job in failed])


async def _watch_all(store: JobStore, form: Form) -> None:
    since = datetime.now(UTC)
    async with aclosing(follow_all(store, since)) as looks:
        if form is Form.TABLE:
            from .watch_screen import Screen

            with Screen() as screen:
                async for overview in looks:
                    screen.show(overview.active, overview.ended, overview.counts)
        else:
            changes = Changes(since)
            async for overview in looks:
                for job in changes.among([*overview.active, *overview.ended]):
                    print_row(form, JOBS, job)
