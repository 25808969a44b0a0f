"""Lists of jobs for assertions in tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from tetherpy.jobs import BackgroundJob

_LONGEST = 120
"""Characters of a payload, a result or an error that are shown."""


T = TypeVar("T")


class JobFacts(list[T]):
    """One fact of each of some jobs; where a comparison of it fails, the jobs are shown too."""

    def __init__(self, facts: Iterable[T], jobs: JobList) -> None:
        super().__init__(facts)
        self.jobs = jobs


class JobList(list[BackgroundJob]):
    """Jobs, oldest first, whose ``repr`` says what became of each."""

    def __init__(self, jobs: list[BackgroundJob], empty: str) -> None:
        super().__init__(jobs)
        self._empty = empty

    @property
    def payloads(self) -> list[Any]:
        """What each was given."""
        return JobFacts((job.payload for job in self), self)

    @property
    def results(self) -> list[Any]:
        """What the handler of each returned; None for those that are not COMPLETED."""
        return JobFacts((job.result for job in self), self)

    @property
    def statuses(self) -> list[str]:
        """What each is."""
        return JobFacts((str(job.status) for job in self), self)

    @property
    def errors(self) -> list[str]:
        """The last error of those that have one."""
        return JobFacts((job.last_error for job in self if job.last_error is not None), self)

    def __repr__(self) -> str:
        return "\n".join(map(line_of, self)) if self else f"<{self._empty}>"


def line_of(job: BackgroundJob) -> str:
    """Return one line with the key, state and outcome of a job."""
    parts = [f"{job.id} {job.job_key} {job.status}"]
    if job.payload_json is not None:
        parts.append(_short(job.payload_json))
    if job.result_json is not None:
        parts.append(f"-> {_short(job.result_json)}")
    if job.attempts:
        parts.append(f"attempt {job.attempts} of {job.max_attempts}")
    if job.last_error is not None:
        parts.append(f"! {_short(job.last_error)}")
    return " ".join(parts)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
