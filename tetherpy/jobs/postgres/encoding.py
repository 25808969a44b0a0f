"""What is sent to the server's functions: jobs, settlements and progress as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from math import isnan
from typing import Any

import msgspec

from ..model import NewJob
from ..outcomes import Ack, Cancelled, Completed, Failed, Progress, Released, Snoozed
from ..payload.encoding import encode as encode_payload
from ..payload.truncation import ERROR_CHARACTERS, TRACEBACK_CHARACTERS, truncated

_ENCODER = msgspec.json.Encoder()


def encode(value: object) -> str:
    """Write a value as JSON text."""
    return _ENCODER.encode(value).decode()


def new_job(job: NewJob, now: datetime, max_bytes: int) -> dict[str, Any]:
    """Return what ``tetherpy_defer_jobs`` takes; raises as ``payload.encode`` does."""
    return {
        "job_key": job.job_key,
        "payload": encode_payload(job.payload, max_bytes),
        "priority": job.priority,
        "max_attempts": job.max_attempts,
        "queue": job.queue,
        "run_at": job.run_at if job.delay is None else now + job.delay,
        "timeout": None if job.timeout is None else job.timeout.total_seconds(),
        "unique_key": job.unique_key,
    }


def ack(given: Ack) -> dict[str, Any]:
    """Return what ``tetherpy_settle_jobs`` takes: the fence, where the job goes, and what is remembered of it."""
    claim = given.claim
    end: dict[str, Any]
    match given.outcome:
        case Completed(result):
            end = {"status": "succeeded", "outcome": "completed", "result": result}
        case Failed(error, trace, None):
            end = {"status": "failed", "outcome": "failed", "error": error, "traceback": trace}
        case Failed(error, trace, retry_at):
            end = {"status": "todo", "outcome": "failed", "error": error, "traceback": trace, "run_at": retry_at}
        case Cancelled(reason):
            end = {"status": "aborted", "outcome": "cancelled", "error": reason}
        case Snoozed(run_at):
            end = {"status": "todo", "outcome": "snoozed", "run_at": run_at, "uncounted": 1}
        case Released():
            end = {"status": "todo", "outcome": "released", "uncounted": 1}
    common = {
        "id": claim.id,
        "worker": claim.worker_id,
        "fence": claim.fencing_token,
        "attempt": claim.attempt,
        "uncounted": 0,
    }
    texts = {"error": to_text(end.get("error")), "traceback": to_text(end.get("traceback"), TRACEBACK_CHARACTERS)}
    return {**common, **end, **texts}


def progress(updates: Iterable[Progress]) -> list[dict[str, Any]]:
    """Return what ``report_progress`` takes, one entry per claim: what a later report leaves open stays as before."""
    merged: dict[tuple[int, str | None, int], dict[str, Any]] = {}
    for update in updates:
        fencing_token = (update.claim.id, update.claim.worker_id, update.claim.fencing_token)
        entry = merged.setdefault(fencing_token, dict(zip(("id", "worker", "fence"), fencing_token, strict=True)))
        told = {"fraction": _share(update.fraction), "message": to_text(update.message)}
        entry.update({name: value for name, value in told.items() if value is not None})
    return list(merged.values())


def to_text(text: str | None, limit: int = ERROR_CHARACTERS) -> str | None:
    """Make text of a handler fit to store: bounded, without what UTF-8 or PostgreSQL has no form for."""
    stored = truncated(text, limit)
    return None if stored is None else stored.replace("\0", "\\x00")


def to_name(name: str) -> str:
    """Return a name as the server can be asked for it; one with the character NUL names nothing that is stored."""
    return name.replace("\0", "\\x00")


def to_names(names: Iterable[str] | None) -> list[str] | None:
    """Return names as ``to_name`` does, each once; None stays None."""
    return None if names is None else list(dict.fromkeys(map(to_name, names)))


def _share(fraction: float | None) -> float | None:
    return None if fraction is None or isnan(fraction) else min(max(fraction, 0.0), 1.0)
