"""Errors of using the fixtures incorrectly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tetherpy.errors import ArgumentError, TetherError, message
from tetherpy.jobs import BackgroundJob


class TestingError(TetherError):
    """Base of the errors of ``tetherpy.testing``."""

    __test__ = False


class TestingArgumentError(TestingError, ArgumentError):
    """Raised when a parameter or a mark has a value that cannot be used."""


@message(
    "The fixture `jobs` was used outside the event loop of its test: the test is not `async def`, or a fixture "
    "runs in the loop of a wider scope. Make the test `async def` (with pytest-asyncio or anyio), and use "
    "`jobs` only in the test and in fixtures with the same loop."
)
class OtherLoopError(TestingError):
    """The fixture ``jobs`` is used outside the event loop of its test."""


@message(
    "jobs.drain() has run {limit} attempts and jobs are still due; the last attempt was of job {last.id} "
    "({last.job_key!r}). Check whether a job enqueues itself or snoozes for zero seconds. If the number is "
    "right, raise the limit: jobs.drain(limit=...)."
)
class EndlessJobsError(TestingError):
    """One ``drain`` has run more attempts than it may."""

    limit: int
    last: BackgroundJob


class StuckJobsError(TestingError):
    """A ``drain`` waits for handlers that do not end."""

    def __init__(self, seconds: float, jobs: Sequence[BackgroundJob], *, time_stands_still: bool) -> None:
        self.seconds = seconds
        self.jobs = tuple(jobs)
        names = ", ".join(f"{job.id} ({job.job_key!r})" for job in jobs) or "none has started"
        remedy = (
            "The fixture `clock` stops time, so a handler that sleeps waits until the test advances it: call "
            "jobs.drain(advance=True), or start asyncio.create_task(jobs.drain()), await clock.advance(...), then "
            "await the task."
            if time_stands_still
            else "Give the job a timeout, unblock it in the test, or raise jobs.real_time_limit if the job is slow."
        )
        super().__init__(f"jobs.drain() has waited {seconds:g} s for running jobs: {names}. {remedy}")


class ForeignClockError(TestingError):
    """A job was enqueued by a manager that does not use the test's clock."""

    def __init__(self, job: BackgroundJob, now: datetime) -> None:
        self.job = job
        self.now = now
        super().__init__(
            f"Job {job.id} ({job.job_key!r}) was enqueued at {job.created_at:%Y-%m-%d %H:%M}, but the fixture `clock` "
            f"shows {now:%Y-%m-%d %H:%M}: the app's manager uses another clock, so delays would be wrong. "
            "Override its provider too: jobs.overrides(database=database_provider, "
            "manager=background_job_manager_provider)."
        )


class ClockError(TestingError):
    """The clock cannot drive this event loop."""
