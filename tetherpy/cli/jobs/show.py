"""``tetherpy jobs show``."""

from __future__ import annotations

from tetherpy.jobs import JobNotFoundError

from ..output.formats import Form, emit, form_of, print_all, print_one
from ..output.terminal_text import harmless
from ..parameters.database_location import existing_jobs
from ..parameters.options import DatabaseOption, JobIdArgument, JsonOption
from .job_columns import ATTEMPTS, HISTORY, JobHistory


async def show_job(job_id: JobIdArgument, database: DatabaseOption = None, json: JsonOption = False) -> None:
    """Show one job and its attempts."""
    async with existing_jobs(database) as engine:
        job = await engine.get(job_id)
        if job is None:
            raise JobNotFoundError(job_id)
        history = JobHistory(job, await engine.attempts(job_id))
    form = form_of(json)
    print_one(form, HISTORY, history)
    match form:
        case Form.TABLE if history.attempts:
            _print_attempts(history)
        case Form.LINES:
            for attempt in history.attempts:
                emit(f"attempt\t{ATTEMPTS.line(attempt)}")
        case _:
            pass


def _print_attempts(history: JobHistory) -> None:
    emit("")
    print_all(Form.TABLE, ATTEMPTS, history.attempts)
    if traceback := history.attempts[-1].traceback:
        emit("")
        for line in traceback.splitlines():
            emit(harmless(line))
