"""This engine's statements, read once."""

from __future__ import annotations

from ..status import BackgroundJobStatus
from ..storage.columns import COLUMNS
from ..storage.sql_files import read_statements
from ..transitions import AFTER_RESCUE, case_of, rescue_error_sql

QUEUE_STATUS = {
    BackgroundJobStatus.PENDING: "todo",
    BackgroundJobStatus.RUNNING: "doing",
    BackgroundJobStatus.COMPLETED: "succeeded",
    BackgroundJobStatus.FAILED: "failed",
    BackgroundJobStatus.CANCELLED: "aborted",
}
"""Procrastinate's names of the statuses."""
_QUEUE_COLUMNS = {"id", "job_key", "status", "priority", "queue", "run_at", "unique_key"}
"""The columns of the view that are in Procrastinate's table."""
_LOST = (
    "job.id, record.attempts, record.claimed_by, record.last_attempt_at, record.logs, {rescue_error} AS error, "
    "({status_after_rescue})::procrastinate_job_status AS target"
)
_RESCUE_OF_LOST = """recorded AS (
    INSERT INTO background_service_job_attempts (job_id, attempt, worker, started_at, finished_at, outcome, error, logs)
    SELECT id, attempts, claimed_by, last_attempt_at, %(now)s, %(outcome)s, error, logs FROM lost
), released AS (
    UPDATE tetherpy_job_records AS record
    SET last_error = lost.error, finished_at = CASE WHEN lost.target <> 'todo' THEN %(now)s END,
        updated_at = %(now)s, claimed_by = NULL, lease_expires_at = NULL, progress = NULL, progress_message = NULL,
        logs = NULL
    FROM lost WHERE record.job_id = lost.id
)
UPDATE procrastinate_jobs AS job
SET status = lost.target, attempts = lost.attempts, worker_id = NULL, abort_requested = false,
    scheduled_at = least(job.scheduled_at, %(now)s), tetherpy_due = true
FROM lost WHERE job.id = lost.id
RETURNING job.id"""
_TEXTS = read_statements(
    __file__,
    {
        "lost": _LOST,
        "rescue_of_lost": _RESCUE_OF_LOST,
        "status_after_rescue": case_of(AFTER_RESCUE, QUEUE_STATUS, "record."),
        "columns_of_job": ", ".join(f"(job).{name}" for name in COLUMNS),
        "record_columns": ", ".join(name for name in COLUMNS if name not in _QUEUE_COLUMNS),
        "rescue_error": rescue_error_sql("%(outcome)s::text", "record."),
    },
)


def text(name: str) -> str:
    """Return the text of ``sql/<name>.sql``."""
    return _TEXTS[name]


def sql(name: str) -> bytes:
    """Return the statement in ``sql/<name>.sql`` as psycopg takes it."""
    return _TEXTS[name].encode()
