"""Lists of jobs for assertions in tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tetherpy.jobs import BackgroundJob, JobDefinition

_LONGEST = 120
"""Characters of a payload, a result or an error that are shown."""


T = TypeVar("T")

if TYPE_CHECKING:
    from typing_extensions import TypeVar as DefaultTypeVar

    P = DefaultTypeVar("P", default=Any)
    R = DefaultTypeVar("R", default=Any)
else:
    P = TypeVar("P")
    R = TypeVar("R")


class JobFacts(list[T]):
    """One fact of each of some jobs; where a comparison of it fails, the jobs are shown too."""

    def __init__(self, facts: Iterable[T], jobs: JobList[Any, Any]) -> None:
        super().__init__(facts)
        self.jobs = jobs


class JobList(list[BackgroundJob], Generic[P, R]):
    """Jobs, oldest first, whose ``repr`` says what became of each."""

    def __init__(self, jobs: list[BackgroundJob], empty: str, definition: JobDefinition[P, R] | None = None) -> None:
        super().__init__(jobs)
        self._empty = empty
        self._definition = definition

    @property
    def payloads(self) -> list[P]:
        """What each was given."""
        kind: Any = Any if self._definition is None else self._definition.payload_type
        return JobFacts((job.payload_as(kind) for job in self), self)

    @property
    def results(self) -> list[R | None]:
        """What the handler of each returned; None for those that are not COMPLETED."""
        kind: Any = Any if self._definition is None else self._definition.result_type
        finished = (None if job.result_json is None else job.result_as(kind) for job in self)
        return JobFacts(finished, self)

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
