"""Deleting jobs, in steps short enough to let other writers in between."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from ..arguments import is_storable
from ..errors import JobRunningError
from ..status import BackgroundJobStatus
from ..storage.timestamps import to_text
from .statements import sql

STEP = 1000


def delete_one(connection: sqlite3.Connection, job_id: int) -> bool:
    """Delete one job; a RUNNING one is a ``JobRunningError``."""
    if not is_storable(job_id):
        return False
    if delete_each(connection, [job_id]):
        return True
    if connection.execute(sql("job_by_id"), (job_id,)).fetchone() is None:
        return False
    raise JobRunningError(f"Job {job_id}", "deleted")


def delete_each(
    connection: sqlite3.Connection,
    job_ids: list[int],
    before: datetime | None = None,
    status: BackgroundJobStatus | None = None,
) -> int:
    """Delete those of the jobs that are not RUNNING, unchanged since ``before``, still of ``status``."""
    values = {
        "ids": json.dumps(job_ids),
        "before": None if before is None else to_text(before),
        "status": None if status is None else status.value,
    }
    return connection.execute(sql("delete"), values).rowcount


def delete_expired(connection: sqlite3.Connection, job_ids: list[int], before: datetime) -> int:
    """Delete those of the jobs that finished before an instant and have not been retried since."""
    return connection.execute(sql("delete_expired"), (json.dumps(job_ids), to_text(before))).rowcount


def deletable(
    connection: sqlite3.Connection, status: BackgroundJobStatus, before: datetime, after_id: int
) -> list[int]:
    """Return the next step's ids among the jobs of one status last changed before an instant."""
    values = (status.value, after_id, to_text(before), STEP)
    return [row[0] for row in connection.execute(sql("deletable"), values)]


def finished_before(connection: sqlite3.Connection, before: datetime, limit: int) -> list[int]:
    """Return ids of jobs that finished before an instant, the oldest first."""
    return [row[0] for row in connection.execute(sql("expired"), (to_text(before), limit))]
