"""``tetherpy jobs show``."""

from __future__ import annotations

from typing import Annotated

import typer

from tetherpy.jobs import JobAttempt, JobNotFoundError

from ..output.formats import Form, emit, form_of, print_all, print_one
from ..output.terminal_text import harmless
from ..parameters.database_location import existing_jobs
from ..parameters.options import DatabaseOption, JobIdArgument, JsonOption
from .job_columns import ATTEMPTS, HISTORY, HISTORY_WITH_LOGS, JobHistory


async def show_job(
    job_id: JobIdArgument,
    logs: Annotated[bool, typer.Option("--logs", help="Show what each attempt logged and printed too.")] = False,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Show one job and its attempts."""
    async with existing_jobs(database) as engine:
        job = await engine.get(job_id)
        if job is None:
            raise JobNotFoundError(job_id)
        history = JobHistory(job, await engine.attempts(job_id))
    form = form_of(json)
    print_one(form, HISTORY_WITH_LOGS if logs else HISTORY, history)
    match form:
        case Form.TABLE if history.attempts:
            _print_attempts(history)
        case Form.LINES:
            for attempt in history.attempts:
                emit(f"attempt\t{ATTEMPTS.line(attempt)}")
        case _:
            pass
    if logs and form is not Form.JSON:
        for attempt in history.attempts:
            _print_logs(attempt, form)


def _print_attempts(history: JobHistory) -> None:
    emit("")
    print_all(Form.TABLE, ATTEMPTS, history.attempts)
    if traceback := history.attempts[-1].traceback:
        emit("")
        for line in traceback.splitlines():
            emit(harmless(line))


def _print_logs(attempt: JobAttempt, form: Form) -> None:
    if attempt.logs is None:
        return
    if form is Form.TABLE:
        emit(f"\nlog of attempt {attempt.attempt}")
    for line in attempt.logs.split("\n"):
        emit(harmless(line) if form is Form.TABLE else f"log\t{attempt.attempt}\t{harmless(line)}")
