"""Manual changes of jobs: move, retry, cancel."""

from __future__ import annotations

from datetime import datetime, timedelta

import psycopg

from ..arguments import is_storable
from ..errors import JobNotFoundError, UniqueJobError
from ..model import BackgroundJob, JobAttempt
from ..status import BackgroundJobStatus
from ..storage.row_decoding import to_job
from ..transitions import Transition, after_cancel, after_move, after_retry
from .calls.requests import Connection
from .calls.value_loading import open_cursor
from .encoding import to_text
from .statements import QUEUE_STATUS, sql


async def move(
    connection: Connection,
    job_id: int,
    status: BackgroundJobStatus,
    error: str | None,
    now: datetime,
    lease: timedelta,
) -> BackgroundJob:
    """Move a job; see ``after_move``."""
    return await _store(connection, after_move(await _require(connection, job_id), status, to_text(error), now, lease))


async def retry(connection: Connection, job_id: int, reset_attempts: bool, now: datetime) -> BackgroundJob:
    """Make a finished job PENDING, due now; see ``after_retry``."""
    return await _store(connection, after_retry(await _require(connection, job_id), reset_attempts, now))


async def request_cancel(connection: Connection, job_id: int, now: datetime) -> BackgroundJob:
    """Cancel a PENDING job, request it of a RUNNING one; see ``after_cancel``."""
    job = await _require(connection, job_id)
    after = after_cancel(job, now)
    return job if after.job is job else await _store(connection, after)


async def _require(connection: Connection, job_id: int) -> BackgroundJob:
    if not is_storable(job_id):
        raise JobNotFoundError(job_id)
    async with open_cursor(connection) as cursor:
        await cursor.execute(sql("locked_job"), {"id": job_id})
        row = await cursor.fetchone()
    if row is None:
        raise JobNotFoundError(job_id)
    return to_job(row)


async def _store(connection: Connection, after: Transition) -> BackgroundJob:
    job = after.job
    if after.attempt is not None:
        await _record(connection, after.attempt)
    values = {
        "id": job.id,
        "status": QUEUE_STATUS[job.status],
        "attempts": job.attempts,
        "last_attempt_at": job.last_attempt_at,
        "last_error": job.last_error,
        "finished_at": job.finished_at,
        "claimed_by": job.claimed_by,
        "lease_expires_at": job.lease_expires_at,
        "run_at": job.run_at,
        "result": job.result_json,
        "progress": job.progress,
        "progress_message": job.progress_message,
        "cancel_requested_at": job.cancel_requested_at,
        "cancelling": job.status is BackgroundJobStatus.RUNNING and job.cancel_requested_at is not None,
        "now": job.updated_at,
    }
    try:
        await connection.execute(sql("store_transition"), values)
    except psycopg.errors.UniqueViolation as error:
        if job.unique_key is None:
            raise
        raise UniqueJobError(job.id, job.unique_key) from error
    return await _require(connection, job.id)


async def _record(connection: Connection, attempt: JobAttempt) -> None:
    values = {
        "id": attempt.job_id,
        "attempt": attempt.attempt,
        "worker": attempt.worker,
        "started": attempt.started_at,
        "now": attempt.finished_at,
        "outcome": attempt.outcome,
        "error": attempt.error,
    }
    await connection.execute(sql("record_attempt"), values)
