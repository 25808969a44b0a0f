"""The columns and JSON documents of jobs and attempts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs

from tetherpy.durations import duration_text
from tetherpy.jobs import OPTIONS, BackgroundJob, BackgroundJobStatus, JobAttempt, JobOption, PayloadDecodeError, decode

from ..output.columns import Column, Document, View
from ..parameters.durations import ago, instant, write_duration

_STYLES = {
    BackgroundJobStatus.PENDING: "yellow",
    BackgroundJobStatus.RUNNING: "cyan",
    BackgroundJobStatus.COMPLETED: "green",
    BackgroundJobStatus.FAILED: "red",
    BackgroundJobStatus.CANCELLED: "dim",
}

_OPTIONS = tuple(option for option in OPTIONS if option.shown)

STATES = "pending, running, completed, failed or cancelled"
"""The statuses, as options accept them in any case."""


def style(job: BackgroundJob) -> str:
    """Return the colour of a job's status."""
    return _STYLES[job.status]


def note(job: BackgroundJob) -> str:
    """Return the progress, the result or the error of a job."""
    match job.status:
        case BackgroundJobStatus.COMPLETED:
            return job.result_json or ""
        case BackgroundJobStatus.RUNNING:
            return job.progress_message or ""
        case _:
            return job.last_error or ""


def percent(job: BackgroundJob) -> str:
    """Return the progress that a job reported."""
    return "" if job.progress is None else f"{job.progress:.0%}"


def job_document(job: BackgroundJob) -> Document:
    """Return the JSON form of a job: instants as ISO 8601 in UTC, durations in seconds."""
    return {
        "id": job.id,
        "job_key": job.job_key,
        "status": job.status.value,
        "payload": _decoded(job.payload_json),
        "result": _decoded(job.result_json),
        "last_error": job.last_error,
        "progress": job.progress,
        "progress_message": job.progress_message,
        "attempts": job.attempts,
        **{option.name: _option_document(option, getattr(job, option.field)) for option in _OPTIONS},
        "claimed_by": job.claimed_by,
        "created_at": instant(job.created_at),
        "updated_at": instant(job.updated_at),
        "run_at": instant(job.run_at),
        "last_attempt_at": instant(job.last_attempt_at),
        "lease_expires_at": instant(job.lease_expires_at),
        "cancel_requested_at": instant(job.cancel_requested_at),
        "finished_at": instant(job.finished_at),
    }


def attempt_document(attempt: JobAttempt) -> Document:
    """Return the JSON form of an attempt; one that runs has neither ``finished_at`` nor ``outcome``."""
    return {
        "attempt": attempt.attempt,
        "outcome": attempt.outcome,
        "worker": attempt.worker,
        "started_at": instant(attempt.started_at),
        "finished_at": instant(attempt.finished_at),
        "error": attempt.error,
        "traceback": attempt.traceback,
    }


def _option_document(option: JobOption, value: Any) -> Any:
    if option.kind == "pairs":
        return _decoded(value) or {}
    return value.total_seconds() if isinstance(value, timedelta) else value


def _decoded(text: str | None) -> Any:
    try:
        return decode(text)
    except PayloadDecodeError:
        # Not written by tetherpy: the raw text is more useful than an error.
        return text


def _duration(attempt: JobAttempt) -> str:
    if attempt.started_at is None or attempt.finished_at is None:
        return ""
    return duration_text(attempt.finished_at - attempt.started_at)


JOBS = View[BackgroundJob](
    (
        Column("id", lambda job: str(job.id)),
        Column("status", lambda job: job.status.value, style=style),
        Column("key", lambda job: job.job_key),
        Column("attempts", lambda job: f"{job.attempts}/{job.max_attempts}"),
        Column("progress", percent),
        Column("created", lambda job: instant(job.created_at) or "", lambda job: ago(job.created_at)),
        Column("note", note),
    ),
    job_document,
)
"""A job as a row of a table."""

ID = View[BackgroundJob]((Column("id", lambda job: str(job.id)),), job_document)
"""The id of a job alone, for scripts."""

ATTEMPTS = View[JobAttempt](
    (
        Column("attempt", lambda attempt: str(attempt.attempt)),
        Column("outcome", lambda attempt: attempt.outcome or "running"),
        Column("started", lambda attempt: instant(attempt.started_at) or "", lambda attempt: ago(attempt.started_at)),
        Column("took", lambda attempt: instant(attempt.finished_at) or "", _duration),
        Column("worker", lambda attempt: attempt.worker or ""),
        Column("error", lambda attempt: attempt.error or ""),
    ),
    attempt_document,
)
"""An attempt as a row of a table; in a pipe the fourth column is the time of its end."""


@attrs.frozen
class JobHistory:
    """A job and its attempts."""

    job: BackgroundJob
    attempts: list[JobAttempt]


def _history_document(history: JobHistory) -> Document:
    return {**job_document(history.job), "history": [attempt_document(attempt) for attempt in history.attempts]}


def _logs_document(history: JobHistory) -> Document:
    attempts = [{**attempt_document(attempt), "logs": attempt.logs} for attempt in history.attempts]
    return {**job_document(history.job), "history": attempts}


def _moment_column(name: str) -> Column[JobHistory]:
    def exact(history: JobHistory) -> str:
        return instant(getattr(history.job, name)) or ""

    def shown(history: JobHistory) -> str:
        moment = getattr(history.job, name)
        return "" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M:%S} ({ago(moment)})"

    return Column(name, exact, shown)


def _option_column(option: JobOption) -> Column[JobHistory]:
    def exact(history: JobHistory) -> str:
        value = getattr(history.job, option.field)
        return "" if value is None else write_duration(value) if isinstance(value, timedelta) else str(value)

    return Column(option.name, exact)


HISTORY = View[JobHistory](
    (
        Column("id", lambda history: str(history.job.id)),
        Column("job_key", lambda history: history.job.job_key),
        Column("status", lambda history: history.job.status.value, style=lambda history: style(history.job)),
        Column("payload", lambda history: history.job.payload_json or ""),
        Column("result", lambda history: history.job.result_json or ""),
        Column("last_error", lambda history: history.job.last_error or ""),
        Column("progress", lambda history: percent(history.job)),
        Column("progress_message", lambda history: history.job.progress_message or ""),
        Column("attempts", lambda history: f"{history.job.attempts}/{history.job.max_attempts}"),
        *(_option_column(option) for option in _OPTIONS),
        Column("claimed_by", lambda history: history.job.claimed_by or ""),
        *(
            _moment_column(name)
            for name in ("created_at", "updated_at", "run_at", "last_attempt_at", "cancel_requested_at", "finished_at")
        ),
    ),
    _history_document,
)
"""One job in detail."""

HISTORY_WITH_LOGS = View[JobHistory](HISTORY.columns, _logs_document)
"""The same, with the log of each attempt in the JSON document."""
