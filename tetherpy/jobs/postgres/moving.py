"""Moves by hand: whoever makes them, the table of legal moves decides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import psycopg

from ..arguments import is_storable
from ..errors import IllegalJobTransitionError, JobNotFoundError, UniqueJobError
from ..model import BackgroundJob
from ..status import BackgroundJobStatus, is_legal_move
from ..storage.row_decoding import to_job
from ..transitions import changes_of_retry
from .encoding import to_text
from .requests import Connection
from .statements import sql
from .value_loading import open_cursor

_QUEUE_STATUS = {
    BackgroundJobStatus.PENDING: "todo",
    BackgroundJobStatus.RUNNING: "doing",
    BackgroundJobStatus.COMPLETED: "succeeded",
    BackgroundJobStatus.FAILED: "failed",
    BackgroundJobStatus.CANCELLED: "cancelled",
}


async def move(
    connection: Connection,
    job_id: int,
    status: BackgroundJobStatus,
    error: str | None,
    now: datetime,
    lease: timedelta,
) -> BackgroundJob:
    """Move a job; one made RUNNING by hand has one lease's time before it is taken back."""
    job = await _require(connection, job_id)
    if not is_legal_move(job.status, status):
        raise IllegalJobTransitionError(job_id, job.status, status)
    started = status is BackgroundJobStatus.RUNNING
    changes = {
        "error": to_text(error),
        "started": started,
        "lease": now + lease if started else None,
        "finished": status.is_finished,
        "again": job.status.is_finished,
        "reset": False,
    }
    if job.status is BackgroundJobStatus.RUNNING:
        await _record_end(connection, job, status, error, now)
    return await _apply(connection, job, status, changes, now)


async def retry(connection: Connection, job_id: int, reset_attempts: bool, now: datetime) -> BackgroundJob:
    """Make a finished job PENDING, at once; with ``reset_attempts`` as if it had never run."""
    job = await _require(connection, job_id)
    return await _apply(connection, job, BackgroundJobStatus.PENDING, changes_of_retry(job, reset_attempts), now)


async def request_cancel(connection: Connection, job_id: int, now: datetime) -> BackgroundJob:
    """Cancel a PENDING job, ask for the abortion of a RUNNING one; one that is CANCELLED already stays so."""
    job = await _require(connection, job_id)
    match job.status:
        case BackgroundJobStatus.CANCELLED:
            return job
        case BackgroundJobStatus.RUNNING:
            await connection.execute(sql("request_cancel"), {"id": job_id, "now": now})
            await connection.execute(sql("abort"), {"id": job_id})
            return await _require(connection, job_id)
        case _:
            return await move(connection, job_id, BackgroundJobStatus.CANCELLED, None, now, timedelta(0))


async def _require(connection: Connection, job_id: int) -> BackgroundJob:
    if not is_storable(job_id):
        raise JobNotFoundError(job_id)
    async with open_cursor(connection) as cursor:
        await cursor.execute(sql("locked_job"), {"id": job_id})
        row = await cursor.fetchone()
    if row is None:
        raise JobNotFoundError(job_id)
    return to_job(row)


async def _apply(
    connection: Connection,
    job: BackgroundJob,
    status: BackgroundJobStatus,
    changes: Mapping[str, Any],
    now: datetime,
) -> BackgroundJob:
    values = {**changes, "id": job.id, "status": _QUEUE_STATUS[status], "now": now}
    try:
        await connection.execute(sql("queue_move"), values)
    except psycopg.errors.UniqueViolation as error:
        if job.unique_key is None:
            raise
        raise UniqueJobError(job.id, job.unique_key) from error
    await connection.execute(sql("record_move"), values)
    return await _require(connection, job.id)


async def _record_end(
    connection: Connection,
    job: BackgroundJob,
    status: BackgroundJobStatus,
    error: str | None,
    now: datetime,
) -> None:
    values = {
        "id": job.id,
        "attempt": job.attempts,
        "worker": job.claimed_by,
        "started": job.last_attempt_at,
        "now": now,
        "outcome": "released" if status is BackgroundJobStatus.PENDING else status.value.lower(),
        "error": to_text(error),
    }
    await connection.execute(sql("record_attempt"), values)
