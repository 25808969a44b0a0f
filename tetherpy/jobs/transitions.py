"""What a retry by hand changes of a job, whichever engine keeps it."""

from __future__ import annotations

from typing import Any

from .errors import IllegalJobTransitionError, JobRunningError
from .model import BackgroundJob
from .status import BackgroundJobStatus, is_legal_move


def changes_of_retry(job: BackgroundJob, reset_attempts: bool) -> dict[str, Any]:
    """Return what makes a finished job PENDING, at once; with ``reset_attempts`` as if it had never run.

    Raises ``JobRunningError`` or ``IllegalJobTransitionError`` for a job that is not finished.
    """
    if job.status is BackgroundJobStatus.RUNNING:
        raise JobRunningError(f"Job {job.id}", "retried")
    if not is_legal_move(job.status, BackgroundJobStatus.PENDING):
        raise IllegalJobTransitionError(job.id, job.status, BackgroundJobStatus.PENDING)
    return {
        "error": None,
        "started": False,
        "lease": None,
        "finished": False,
        "again": True,
        "reset": reset_attempts,
    }
