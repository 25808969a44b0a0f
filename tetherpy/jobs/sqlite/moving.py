"""Manual changes of jobs: move, retry, cancel."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

import attrs

from ..arguments import is_storable
from ..errors import JobNotFoundError, UniqueJobError
from ..model import BackgroundJob
from ..status import BackgroundJobStatus
from ..storage.row_decoding import to_job
from ..storage.text_truncation import truncated
from ..storage.timestamps import to_optional_text, to_text
from ..storage.values import text_or_none
from ..transitions import Transition, after_cancel, after_move, after_retry
from .acknowledging import record_attempt
from .statements import fetch, fetch_changed, sql


def read(connection: sqlite3.Connection, job_id: int) -> BackgroundJob | None:
    """Return the job, None if it does not exist; raise ``UnreadableJobError`` if its row cannot be decoded."""
    rows = fetch(connection, sql("job_by_id"), (job_id,)) if is_storable(job_id) else []
    return to_job(rows[0]) if rows else None


def running_logs(connection: sqlite3.Connection, job_id: int) -> str | None:
    """Return what the running attempt of a job has logged, as far as it is stored."""
    row = connection.execute(sql("running_logs"), (job_id,)).fetchone()
    return None if row is None else text_or_none(row[0])


def move(
    connection: sqlite3.Connection,
    job_id: int,
    status: BackgroundJobStatus,
    error: str | None,
    now: datetime,
    lease: timedelta,
) -> BackgroundJob:
    """Move a job; see ``after_move``."""
    return _store(connection, after_move(_require(connection, job_id), status, truncated(error), now, lease))


def retry(connection: sqlite3.Connection, job_id: int, reset_attempts: bool, now: datetime) -> BackgroundJob:
    """Make a finished job PENDING, due now; see ``after_retry``."""
    return _store(connection, after_retry(_require(connection, job_id), reset_attempts, now))


def request_cancel(connection: sqlite3.Connection, job_id: int, now: datetime) -> BackgroundJob:
    """Cancel a PENDING job, request it of a RUNNING one; see ``after_cancel``."""
    job = _require(connection, job_id)
    after = after_cancel(job, now)
    return job if after.job is job else _store(connection, after)


def _require(connection: sqlite3.Connection, job_id: int) -> BackgroundJob:
    job = read(connection, job_id)
    if job is None:
        raise JobNotFoundError(job_id)
    return job


def _store(connection: sqlite3.Connection, after: Transition) -> BackgroundJob:
    job = after.job
    if after.attempt is not None:
        record_attempt(connection, attrs.evolve(after.attempt, logs=running_logs(connection, job.id)))
    values = {
        "id": job.id,
        "status": job.status.value,
        "attempts": job.attempts,
        "last_attempt_at": to_optional_text(job.last_attempt_at),
        "last_error": job.last_error,
        "finished_at": to_optional_text(job.finished_at),
        "claimed_by": job.claimed_by,
        "lease_expires_at": to_optional_text(job.lease_expires_at),
        "run_at": to_text(job.run_at),
        "result": job.result_json,
        "progress": job.progress,
        "progress_message": job.progress_message,
        "cancel_requested_at": to_optional_text(job.cancel_requested_at),
        "now": to_text(job.updated_at),
    }
    try:
        return to_job(fetch_changed(connection, sql("store_transition"), values)[0])
    except sqlite3.IntegrityError as error:
        if job.unique_key is None:
            raise
        raise UniqueJobError(job.id, job.unique_key) from error
