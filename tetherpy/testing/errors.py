"""Errors of using the fixtures incorrectly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tetherpy.errors import ArgumentError, TetherError
from tetherpy.jobs import BackgroundJob


class TestingError(TetherError):
    """Base of the errors of ``tetherpy.testing``."""

    __test__ = False


class TestingArgumentError(TestingError, ArgumentError):
    """Raised when a parameter or a mark has a value that cannot be used."""


class OtherLoopError(TestingError):
    """The fixture ``jobs`` is used outside the event loop of its test."""

    def __init__(self) -> None:
        super().__init__(
            "The fixture `jobs` works in the event loop of an `async def` test, and this is another one: the test is "
            "no `async def`, or a fixture runs in a loop of a wider scope. Make the test `async def`, run by "
            "pytest-asyncio or anyio, and use `jobs` in it and in fixtures of its own loop."
        )


class EndlessJobsError(TestingError):
    """One ``drain`` has run more attempts than it may."""

    def __init__(self, limit: int, last: BackgroundJob) -> None:
        self.limit = limit
        self.last = last
        super().__init__(
            f"jobs.drain() has run {limit} attempts and there are still jobs that are due; the last one was job "
            f"{last.id} ({last.job_key!r}). Does a job enqueue itself, or snooze for no time? If there really are so "
            "many, use jobs.drain(limit=...)."
        )


class StuckJobsError(TestingError):
    """A ``drain`` waits for handlers that do not end."""

    def __init__(self, seconds: float, jobs: Sequence[BackgroundJob], *, time_stands_still: bool) -> None:
        self.seconds = seconds
        self.jobs = tuple(jobs)
        names = ", ".join(f"{job.id} ({job.job_key!r})" for job in jobs) or "none that can be read"
        remedy = (
            "With the fixture `clock` time stands still, so a handler that sleeps waits for the test: start "
            "asyncio.create_task(jobs.drain()), await clock.advance(...), then await the task."
            if time_stands_still
            else "Give the job a timeout, let the test provide what it waits for, or set jobs.patience if it only "
            "takes that long."
        )
        super().__init__(f"jobs.drain() has waited {seconds:g} s for running jobs: {names}. {remedy}")


class ForeignClockError(TestingError):
    """A job was enqueued by a manager that does not go by the test's clock."""

    def __init__(self, job: BackgroundJob, now: datetime) -> None:
        self.job = job
        self.now = now
        super().__init__(
            f"Job {job.id} ({job.job_key!r}) was enqueued at {job.created_at:%Y-%m-%d %H:%M}, but the fixture `clock` "
            f"says {now:%Y-%m-%d %H:%M}: the app's manager goes by another clock, so delays would mean nothing. "
            "Override its provider too: jobs.overrides(database=database_provider, "
            "manager=background_job_manager_provider)."
        )


class ClockError(TestingError):
    """The clock cannot drive this event loop."""
