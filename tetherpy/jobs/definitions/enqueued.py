"""The ids of jobs that an engine has stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from ..model import NewJob
from .job_id import JobId

Stored: TypeAlias = Sequence[Any]
"""The row of an engine for an enqueued job: its number, and whether it is new."""


def ids_of(jobs: Sequence[NewJob[Any]], stored: Iterable[Stored]) -> list[JobId[Any]]:
    """Return the ids of jobs that an engine has stored."""
    return [
        JobId(number, job.job_key, job.result_type, is_new=is_new)
        for job, (number, is_new) in zip(jobs, stored, strict=True)
    ]
