"""The errors of jobs that have ended without a result."""

from __future__ import annotations

from tetherpy.errors import clause

from ..errors import JobError
from ..model import BackgroundJob


class JobEndedError(JobError):
    """A job has ended without a result.

    Attributes:
        job_key: the key of the job.
        job: the job as it ended, or None if it was deleted while it was watched.
    """

    def __init__(self, job_key: str, job: BackgroundJob | None, remedy: str = "Read its attempts") -> None:
        self.job_key = job_key
        self.job = job
        ended = (
            "was deleted" if job is None else f"ended {job.status}: {clause(job.last_error or 'no reason was given')}"
        )
        number = "" if job is None else f" {job.id}"
        super().__init__(
            f"The {job_key!r} job{number} {ended}. {remedy}: manager.get_attempts(id) shows what each attempt did."
        )


class JobFailedError(JobEndedError):
    """A job ended FAILED."""


class JobCancelledError(JobEndedError):
    """A job ended CANCELLED."""
