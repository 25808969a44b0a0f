"""Writing down how attempts ended, each behind its fence."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from math import isnan
from typing import TypeAlias

from ..model import ATTEMPTS_KEPT
from ..outcomes import Ack, Cancelled, Claim, Completed, Failed, Progress, Released, Snoozed
from ..payload.truncation import TRACEBACK_CHARACTERS, truncated
from ..status import BackgroundJobStatus
from ..storage.timestamps import to_text
from .statements import sql

_GIVEN_BACK = frozenset({"snoozed", "released"})
"""How attempts end that are not counted, so that a job may have any number of them."""

Fence: TypeAlias = tuple[object, object, object]
"""Id, worker and number of the claim: all three must still be those of the row."""


def fencing_token_of(claim: Claim) -> Fence:
    """Return what the row must still hold for the claim to count."""
    return (claim.id, claim.worker_id, claim.fencing_token)


def acknowledge(connection: sqlite3.Connection, ack: Ack, now: datetime) -> bool:
    """Settle one attempt; False, and nothing written, if the claim was lost."""
    now_text = to_text(now)
    claim = ack.claim
    fencing_token = fencing_token_of(claim)
    match ack.outcome:
        case Completed(result_json):
            status, word, error, trace = BackgroundJobStatus.COMPLETED, "completed", None, None
            accepted = finish(connection, status, result_json, None, now_text, fencing_token)
        case Failed(error, trace, None):
            status, word = BackgroundJobStatus.FAILED, "failed"
            accepted = finish(connection, status, None, error, now_text, fencing_token)
        case Cancelled(error):
            status, word, trace = BackgroundJobStatus.CANCELLED, "cancelled", None
            accepted = finish(connection, status, None, error, now_text, fencing_token)
        case Failed(error, trace, retry_at):
            word = "failed"
            accepted = _release_claims(connection, error, retry_at, now_text, fencing_token)
        case Snoozed(run_at):
            word, error, trace = "snoozed", None, None
            accepted = _release_claims(connection, None, run_at, now_text, fencing_token, uncounted=1)
        case Released():
            word, error, trace = "released", None, None
            accepted = _release_claims(connection, None, None, now_text, fencing_token, uncounted=1)
    if accepted:
        error, trace = truncated(error), truncated(trace, TRACEBACK_CHARACTERS)
        started = claim.job.last_attempt_at
        connection.execute(
            sql("record_attempt"),
            (
                claim.id,
                claim.attempt,
                claim.worker_id,
                None if started is None else to_text(started),
                now_text,
                word,
                error,
                trace,
            ),
        )
        if word in _GIVEN_BACK or claim.attempt > ATTEMPTS_KEPT:
            connection.execute(sql("forget_attempts"), {"id": claim.id, "kept": ATTEMPTS_KEPT})
    return accepted


def finish(
    connection: sqlite3.Connection,
    status: BackgroundJobStatus,
    result: str | None,
    error: str | None,
    now_text: str,
    fencing_token: Fence,
) -> bool:
    """Move a claimed job to an end; False if the claim was lost."""
    values = (status.value, result, truncated(error), now_text, now_text, *fencing_token)
    return connection.execute(sql("finish"), values).rowcount == 1


def _release_claims(
    connection: sqlite3.Connection,
    error: str | None,
    run_at: datetime | None,
    now_text: str,
    fencing_token: Fence,
    uncounted: int = 0,
) -> bool:
    job_id, worker, number = fencing_token
    values = {
        "now": now_text,
        "uncounted": uncounted,
        "error": truncated(error),
        "run_at": None if run_at is None else to_text(run_at),
        "id": job_id,
        "worker": worker,
        "fence": number,
    }
    return connection.execute(sql("release"), values).rowcount == 1


def report_progress(connection: sqlite3.Connection, updates: list[Progress], now: datetime) -> None:
    """Store progress; an update behind a lost claim changes nothing."""
    now_text = to_text(now)
    connection.cursor().executemany(
        sql("report_progress"),
        [
            (_share(update.fraction), truncated(update.message), now_text, *fencing_token_of(update.claim))
            for update in updates
        ],
    )


def _share(fraction: float | None) -> float | None:
    return None if fraction is None or isnan(fraction) else min(max(fraction, 0.0), 1.0)
