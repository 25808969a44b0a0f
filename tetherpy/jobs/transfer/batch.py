"""A range of jobs with their attempts, as either side holds it, and its fingerprint."""

from __future__ import annotations

import hashlib

import attrs
import msgspec

from ..model import BackgroundJob, JobAttempt
from ..storage.text_truncation import truncated

ATTEMPTS = (
    "SELECT job_id, attempt, worker, started_at, finished_at, outcome, error, traceback, logs "
    "FROM background_service_job_attempts WHERE job_id BETWEEN ? AND ? ORDER BY job_id, id"
)
"""The attempts of a range of jobs, on either side: the job's id, then what ``to_attempt`` reads."""

_ENCODER = msgspec.json.Encoder()


@attrs.frozen
class Batch:
    """Hold the jobs of a range of ids, by id, and all of their attempts, oldest first."""

    jobs: tuple[BackgroundJob, ...]
    attempts: tuple[JobAttempt, ...]

    @property
    def first_id(self) -> int:
        """Return the smallest id."""
        return self.jobs[0].id

    @property
    def last_id(self) -> int:
        """Return the largest id."""
        return self.jobs[-1].id

    @property
    def digest(self) -> str:
        """Return the SHA-256 of everything in it; equal on both sides exactly if both hold the same."""
        return hashlib.sha256(_ENCODER.encode([self.jobs, self.attempts])).hexdigest()


def portable_job(job: BackgroundJob) -> BackgroundJob:
    """Return a job as PostgreSQL can hold it: handlers' texts without the character NUL."""
    return attrs.evolve(job, last_error=portable(job.last_error), progress_message=portable(job.progress_message))


def portable_attempt(attempt: JobAttempt) -> JobAttempt:
    """Return an attempt as PostgreSQL can hold it."""
    return attrs.evolve(
        attempt,
        error=portable(attempt.error),
        traceback=portable(attempt.traceback),
        logs=portable(attempt.logs),
    )


def portable(text: str | None) -> str | None:
    """Escape characters that PostgreSQL cannot store."""
    stored = truncated(text, limit=1 << 30)
    return None if stored is None else stored.replace("\0", "\\x00")
