"""The errors of the durable package."""

from __future__ import annotations

from tetherpy.jobs import BackgroundJob, BackgroundJobStatus, JobCancelledError, JobEndedError, JobFailedError


class JobProviderError(JobEndedError):
    """The error of a JobProvider whose job ended FAILED or CANCELLED, or is gone.

    It is also a ``JobFailedError`` or a ``JobCancelledError``, by the status of the job.
    """

    def __init__(self, job_key: str, job: BackgroundJob | None) -> None:
        super().__init__(job_key, job, "Invalidate the provider to run it again")


class _FailedError(JobProviderError, JobFailedError):
    """The job of a JobProvider ended FAILED."""


class _CancelledError(JobProviderError, JobCancelledError):
    """The job of a JobProvider ended CANCELLED."""


def error_of(job: BackgroundJob) -> JobProviderError | None:
    """Return the error of a job that ended FAILED or CANCELLED; None for others."""
    match job.status:
        case BackgroundJobStatus.FAILED:
            return _FailedError(job.job_key, job)
        case BackgroundJobStatus.CANCELLED:
            return _CancelledError(job.job_key, job)
        case _:
            return None
