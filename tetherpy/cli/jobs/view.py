"""How a job is written."""

from __future__ import annotations

from typing import Any

from tetherpy.jobs import BackgroundJob, BackgroundJobStatus, PayloadDecodeError, decode

from ..moments import ago, instant
from ..view import Column, Document, View

_STYLES = {
    BackgroundJobStatus.PENDING: "yellow",
    BackgroundJobStatus.RUNNING: "cyan",
    BackgroundJobStatus.COMPLETED: "green",
    BackgroundJobStatus.FAILED: "red",
    BackgroundJobStatus.CANCELLED: "dim",
}


def style(job: BackgroundJob) -> str:
    """Return the colour of a job's status."""
    return _STYLES[job.status]


def note(job: BackgroundJob) -> str:
    """Return what there is to say about a job: how far it is, or what went wrong."""
    if job.status is BackgroundJobStatus.COMPLETED:
        return job.result_json or ""
    if job.status is BackgroundJobStatus.RUNNING:
        return job.progress_message or ""
    return job.last_error or ""


def percent(job: BackgroundJob) -> str:
    """Return the progress that a job reported."""
    return "" if job.progress is None else f"{job.progress:.0%}"


def document(job: BackgroundJob) -> Document:
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
        "max_attempts": job.max_attempts,
        "priority": job.priority,
        "queue": job.queue,
        "unique_key": job.unique_key,
        "timeout": None if job.timeout is None else job.timeout.total_seconds(),
        "claimed_by": job.claimed_by,
        "created_at": instant(job.created_at),
        "updated_at": instant(job.updated_at),
        "run_at": instant(job.run_at),
        "last_attempt_at": instant(job.last_attempt_at),
        "lease_expires_at": instant(job.lease_expires_at),
        "cancel_requested_at": instant(job.cancel_requested_at),
        "finished_at": instant(job.finished_at),
    }


def _decoded(text: str | None) -> Any:
    try:
        return decode(text)
    except PayloadDecodeError:
        # Something else than tetherpy wrote it: its text says more than an error in its place.
        return text


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
    document,
)
"""A job as one row of several."""
