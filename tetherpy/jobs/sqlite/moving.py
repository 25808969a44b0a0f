"""Moves by hand: whoever makes them, the table of legal moves decides."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ..arguments import is_storable
from ..errors import IllegalJobTransitionError, JobNotFoundError, UniqueJobError
from ..model import BackgroundJob
from ..payload.truncation import truncated
from ..status import BackgroundJobStatus, is_legal_move
from ..storage.row_decoding import to_job
from ..storage.timestamps import to_text
from ..transitions import changes_of_retry
from .rows import fetch, fetch_changed
from .statements import sql


def read(connection: sqlite3.Connection, job_id: int) -> BackgroundJob | None:
    """Return the job, None if there is none; raise ``UnreadableJobError`` if its row is broken."""
    rows = fetch(connection, sql("job_by_id"), (job_id,)) if is_storable(job_id) else []
    return to_job(rows[0]) if rows else None


def move(
    connection: sqlite3.Connection,
    job_id: int,
    status: BackgroundJobStatus,
    error: str | None,
    now: datetime,
    lease: timedelta,
) -> BackgroundJob:
    """Move a job; one made RUNNING by hand has one lease's time before it is taken back."""
    job = _require(connection, job_id)
    if not is_legal_move(job.status, status):
        raise IllegalJobTransitionError(job_id, job.status, status)
    started = status is BackgroundJobStatus.RUNNING
    changes = {
        "error": truncated(error),
        "started": started,
        "lease": to_text(now + lease) if started else None,
        "finished": status.is_finished,
        "again": job.status.is_finished,
        "reset": False,
    }
    if job.status is BackgroundJobStatus.RUNNING:
        _record_end(connection, job, status, error, now)
    return _apply(connection, job, status, changes, now)


def retry(connection: sqlite3.Connection, job_id: int, reset_attempts: bool, now: datetime) -> BackgroundJob:
    """Make a finished job PENDING, at once; with ``reset_attempts`` as if it had never run."""
    job = _require(connection, job_id)
    return _apply(connection, job, BackgroundJobStatus.PENDING, changes_of_retry(job, reset_attempts), now)


def request_cancel(connection: sqlite3.Connection, job_id: int, now: datetime) -> BackgroundJob:
    """Cancel a PENDING job, mark a RUNNING one; one that is CANCELLED already stays so."""
    job = _require(connection, job_id)
    match job.status:
        case BackgroundJobStatus.CANCELLED:
            return job
        case BackgroundJobStatus.RUNNING:
            values = {"id": job_id, "now": to_text(now)}
            return to_job(fetch_changed(connection, sql("request_cancel"), values)[0])
        case _:
            return move(connection, job_id, BackgroundJobStatus.CANCELLED, None, now, timedelta(0))


def _require(connection: sqlite3.Connection, job_id: int) -> BackgroundJob:
    job = read(connection, job_id)
    if job is None:
        raise JobNotFoundError(job_id)
    return job


def _apply(
    connection: sqlite3.Connection,
    job: BackgroundJob,
    status: BackgroundJobStatus,
    changes: Mapping[str, Any],
    now: datetime,
) -> BackgroundJob:
    values = {**changes, "id": job.id, "status": status.value, "now": to_text(now)}
    try:
        return to_job(fetch_changed(connection, sql("move"), values)[0])
    except sqlite3.IntegrityError as error:
        if job.unique_key is None:
            raise
        raise UniqueJobError(job.id, job.unique_key) from error


def _record_end(
    connection: sqlite3.Connection,
    job: BackgroundJob,
    status: BackgroundJobStatus,
    error: str | None,
    now: datetime,
) -> None:
    started = None if job.last_attempt_at is None else to_text(job.last_attempt_at)
    outcome = "released" if status is BackgroundJobStatus.PENDING else status.value.lower()
    values = (job.id, job.attempts, job.claimed_by, started, to_text(now), outcome, truncated(error), None)
    connection.execute(sql("record_attempt"), values)
