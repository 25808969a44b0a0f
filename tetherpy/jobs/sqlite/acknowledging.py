"""Store how attempts ended, and their progress, each checked by its fencing token."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import TypeAlias

from ..model import ATTEMPTS_KEPT, JobAttempt
from ..outcomes import Ack, Claim, Progress
from ..status import BackgroundJobStatus
from ..storage.text_truncation import TRACEBACK_CHARACTERS, truncated
from ..storage.timestamps import to_optional_text, to_text
from ..transitions import AttemptEnd, end_of, ended_attempt
from .statements import sql

FencingToken: TypeAlias = tuple[object, object, object]
"""Id, worker and number of the claim: all three must still be those of the row."""


def fencing_token_of(claim: Claim) -> FencingToken:
    """Return the values that the row must still have for the claim to count."""
    return (claim.id, claim.worker_id, claim.fencing_token)


def acknowledge(connection: sqlite3.Connection, ack: Ack, now: datetime) -> bool:
    """Acknowledge one attempt; False, and nothing written, if the claim was lost."""
    claim, end, now_text = ack.claim, end_of(ack.outcome), to_text(now)
    fencing_token = fencing_token_of(claim)
    if end.status.is_finished:
        accepted = finish(connection, end.status, end.result_json, end.error, now_text, fencing_token)
    else:
        accepted = _release(connection, end, now_text, fencing_token)
    if accepted:
        record_attempt(connection, ended_attempt(claim.job, end.outcome, end.error, now, end.traceback, ack.logs))
        if not end.counted or claim.attempt > ATTEMPTS_KEPT:
            connection.execute(sql("forget_attempts"), {"id": claim.id, "kept": ATTEMPTS_KEPT})
    return accepted


def finish(
    connection: sqlite3.Connection,
    status: BackgroundJobStatus,
    result: str | None,
    error: str | None,
    now_text: str,
    fencing_token: FencingToken,
) -> bool:
    """Give a claimed job a final status; False if the claim was lost."""
    values = (status.value, result, truncated(error), now_text, now_text, *fencing_token)
    return connection.execute(sql("finish"), values).rowcount == 1


def _release(connection: sqlite3.Connection, end: AttemptEnd, now_text: str, fencing_token: FencingToken) -> bool:
    job_id, worker, number = fencing_token
    values = {
        "now": now_text,
        "uncounted": not end.counted,
        "error": truncated(end.error),
        "run_at": to_optional_text(end.run_at),
        "id": job_id,
        "worker": worker,
        "fencing_token": number,
    }
    return connection.execute(sql("release"), values).rowcount == 1


def record_attempt(connection: sqlite3.Connection, attempt: JobAttempt) -> None:
    """Store an attempt that has ended."""
    values = (
        attempt.job_id,
        attempt.attempt,
        attempt.worker,
        to_optional_text(attempt.started_at),
        to_optional_text(attempt.finished_at),
        attempt.outcome,
        truncated(attempt.error),
        truncated(attempt.traceback, TRACEBACK_CHARACTERS),
        attempt.logs,
    )
    connection.execute(sql("record_attempt"), values)


def report_progress(connection: sqlite3.Connection, updates: list[Progress], now: datetime) -> None:
    """Store progress; an update of a lost claim changes nothing."""
    now_text = to_text(now)
    connection.cursor().executemany(
        sql("report_progress"),
        [
            (update.stored_fraction, truncated(update.message), update.logs, now_text, *fencing_token_of(update.claim))
            for update in updates
        ],
    )
