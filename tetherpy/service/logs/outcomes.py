"""The line that a worker logs about the outcome of each attempt."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from types import TracebackType

from tetherpy.durations import duration_text
from tetherpy.jobs import Cancelled, Claim, Completed, Failed, Outcome, Released, Snoozed

logger = logging.getLogger("tetherpy.jobs")


def log_outcome(claim: Claim, outcome: Outcome, error: BaseException | None, seconds: float, now: datetime) -> None:
    """Log the outcome of an attempt that ran for ``seconds``; ``error`` is what it raised."""
    job = claim.job
    ran = duration_text(seconds)
    which = f"at attempt {claim.attempt} of {job.max_attempts} after {ran}"
    match outcome:
        case Completed():
            level, name, text = logging.INFO, "completed", f"completed in {ran}"
        case Failed(reason, _, retry_at):
            level, name, text = logging.ERROR, "failed", f"failed {which}: {reason}"
            if retry_at is not None:
                pause = _until(retry_at, now)
                level, name, text = logging.WARNING, "retry", f"failed {which}; retry in {pause}: {reason}"
        case Snoozed(run_at):
            level, name, text = logging.INFO, "snoozed", f"snoozed after {ran}; it runs again in {_until(run_at, now)}"
        case Cancelled(reason):
            level, name, text = logging.INFO, "cancelled", f"cancelled after {ran}: {reason}"
        case Released():
            level, name, text = logging.INFO, "released", f"released after {ran}; another worker can claim it"
    if not logger.isEnabledFor(level):
        return
    fields = {"job_id": job.id, "job_key": job.job_key, "attempt": claim.attempt}
    logger.log(
        level,
        "Job %d (%s) %s",
        job.id,
        job.job_key,
        text,
        exc_info=None if level != logging.ERROR or error is None else (type(error), error, _handler_frames(error)),
        extra={**fields, "outcome": name, "duration": round(seconds, 6)},
    )


def _handler_frames(error: BaseException) -> TracebackType | None:
    """Return the traceback without the frame that caught the error."""
    return None if error.__traceback__ is None else error.__traceback__.tb_next


def _until(moment: datetime, now: datetime) -> str:
    return duration_text(max(moment - now, timedelta(0)))
