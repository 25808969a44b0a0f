"""Encode jobs, acks and progress as the JSON that the server's functions take."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from ..model import NewJob
from ..outcomes import Ack, Progress
from ..payload.encoding import encode as encode_payload
from ..storage.columns import stored_options
from ..storage.text_truncation import ERROR_CHARACTERS, TRACEBACK_CHARACTERS, truncated
from ..transitions import AttemptEnd, end_of
from .statements import QUEUE_STATUS

_ENCODER = msgspec.json.Encoder()


def encode(value: object) -> str:
    """Write a value as JSON text."""
    return _ENCODER.encode(value).decode()


def new_job(job: NewJob, now: datetime, max_bytes: int) -> dict[str, Any]:
    """Return a job as ``tetherpy_store_jobs`` takes it; raises as ``payload.encode`` does."""
    return {
        "job_key": job.job_key,
        "payload": encode_payload(job.payload, max_bytes),
        "run_at": job.run_at if job.delay is None else now + job.delay,
        **stored_options(job),
    }


def ack(given: Ack) -> dict[str, Any]:
    """Return an ack as ``tetherpy_acknowledge`` takes it."""
    claim = given.claim
    return {
        "id": claim.id,
        "worker": claim.worker_id,
        "fencing_token": claim.fencing_token,
        "attempt": claim.attempt,
        "logs": given.logs,
        **attempt_end(end_of(given.outcome)),
    }


def attempt_end(end: AttemptEnd) -> dict[str, Any]:
    """Return the part of an ack that does not identify the claim."""
    return {
        "status": QUEUE_STATUS[end.status],
        "status_if_cancelled": QUEUE_STATUS[end.status_if_cancelled],
        "outcome": end.outcome,
        "uncounted": 0 if end.counted else 1,
        "result": end.result_json,
        "error": to_text(end.error),
        "run_at": end.run_at,
        "traceback": to_text(end.traceback, TRACEBACK_CHARACTERS),
    }


def progress(updates: Iterable[Progress]) -> list[dict[str, Any]]:
    """Return reports as ``report_progress`` takes them, one per claim: a later one keeps the values that it omits."""
    merged: dict[tuple[int, str | None, int], dict[str, Any]] = {}
    for update in updates:
        token = (update.claim.id, update.claim.worker_id, update.claim.fencing_token)
        entry = merged.setdefault(token, dict(zip(("id", "worker", "fencing_token"), token, strict=True)))
        entry.update({name: value for name, value in progress_values(update).items() if value is not None})
    return list(merged.values())


def progress_values(update: Progress) -> dict[str, Any]:
    """Return the values of a report; None keeps the stored one."""
    return {"fraction": update.stored_fraction, "message": to_text(update.message), "logs": update.logs}


def to_text(text: str | None, limit: int = ERROR_CHARACTERS) -> str | None:
    """Truncate a handler's text and escape the characters that UTF-8 or PostgreSQL cannot store."""
    stored = truncated(text, limit)
    return None if stored is None else stored.replace("\0", "\\x00")


def to_name(name: str) -> str:
    """Escape a name for a query; no stored name has the character NUL."""
    return name.replace("\0", "\\x00")


def to_names(names: Iterable[str] | None) -> list[str] | None:
    """Return names as ``to_name`` does, each once; None stays None."""
    return None if names is None else list(dict.fromkeys(map(to_name, names)))
