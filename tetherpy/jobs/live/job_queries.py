"""The queries that can be watched."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Protocol, TypeAlias

import attrs

from ..engine import JobStore
from ..model import BackgroundJob, JobCounts
from ..query import JobPage, JobQuery

RowVersions: TypeAlias = Mapping[str, int]


class ViewQuery(Hashable, Protocol):
    """A query of a live view; equal queries share one view."""

    async def ask(self, store: JobStore) -> Any:
        """Return the present answer."""
        ...

    def is_touched(self, answer: Any, before: RowVersions, after: RowVersions) -> bool:
        """Tell whether the answer may have changed between two sets of revisions."""
        ...


@attrs.frozen
class OneJob:
    """One job; None while it does not exist."""

    job_id: int

    async def ask(self, store: JobStore) -> BackgroundJob | None:
        """Return the job."""
        return await store.get(self.job_id)

    def is_touched(self, answer: BackgroundJob | None, before: RowVersions, after: RowVersions) -> bool:
        """A job's own status moves with it, so others' changes do not matter."""
        if answer is None:
            return before != after
        return before.get(answer.status) != after.get(answer.status)


@attrs.frozen
class ManyJobs:
    """Show the jobs of a query."""

    query: JobQuery

    async def ask(self, store: JobStore) -> JobPage:
        """Return the jobs."""
        return await store.find(self.query)

    def is_touched(self, answer: Any, before: RowVersions, after: RowVersions) -> bool:
        """Whatever enters, leaves or changes within the status moves its number."""
        status = self.query.status
        return before != after if status is None else before.get(status) != after.get(status)


@attrs.frozen
class Counts:
    """Show how many jobs are in each state."""

    async def ask(self, store: JobStore) -> JobCounts:
        """Return the counts."""
        return await store.counts()

    def is_touched(self, answer: Any, before: RowVersions, after: RowVersions) -> bool:
        """Every change may move a count."""
        return before != after
