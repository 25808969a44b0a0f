"""Follow jobs: the snapshots that ``jobs watch`` shows after each change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta

import attrs

from tetherpy.jobs import BackgroundJob, BackgroundJobStatus, JobCounts, JobNotFoundError, JobQuery, JobStore

WINDOW = 1000
"""The maximum number of followed jobs per status; the newest are followed."""
NEWEST = 200
"""How many of the newest jobs are searched for jobs that ended between two snapshots."""
OVERLAP = timedelta(seconds=1)
"""A commit may become visible after others with a later timestamp."""
REST_SECONDS = 0.05
"""Minimum interval between two snapshots; intermediate changes are skipped."""


async def changes(store: JobStore) -> AsyncGenerator[None]:
    """Yield immediately, and after each change of a job by any process; close the generator when done.

    Raises the error of the engine when it is closed.
    """
    news = asyncio.Event()
    news.set()
    errors: list[Exception] = []

    def fail(error: Exception) -> None:
        errors.append(error)
        news.set()

    stop = store.on_change(news.set, fail)
    try:
        while True:
            await news.wait()
            news.clear()
            if errors:
                raise errors[0]
            yield
            await asyncio.sleep(REST_SECONDS)
    finally:
        stop()


async def follow_each(store: JobStore, job_ids: Sequence[int]) -> AsyncGenerator[list[BackgroundJob]]:
    """Yield the current state of some jobs, and again after each change, until all have finished.

    Raises ``JobNotFoundError`` if one does not exist, or is deleted.
    """
    async with aclosing(changes(store)) as turns:
        async for _ in turns:
            found = await store.get_many(job_ids)
            for job_id in job_ids:
                if job_id not in found:
                    raise JobNotFoundError(job_id)
            yield [found[job_id] for job_id in job_ids]
            if all(job.status.is_finished for job in found.values()):
                return


@attrs.frozen
class Overview:
    """A snapshot of all jobs: pending and running jobs, jobs that have just ended, and the counts."""

    active: list[BackgroundJob]
    ended: list[BackgroundJob]
    counts: JobCounts


async def follow_all(store: JobStore, since: datetime) -> AsyncGenerator[Overview]:
    """Yield a snapshot of all jobs, and another after each change, without end.

    Jobs that began and ended between two snapshots, after ``since``, are included if they are among the newest; some
    are repeated. Only the newest ``WINDOW`` jobs of each status are included.
    """
    known: set[int] = set()
    seen_to = since
    async with aclosing(changes(store)) as turns:
        async for _ in turns:
            pending = await _newest(store, WINDOW, BackgroundJobStatus.PENDING)
            running = await _newest(store, WINDOW, BackgroundJobStatus.RUNNING)
            recent = await _newest(store, NEWEST)
            active = _latest([*pending, *running])
            left = await store.get_many(known - active.keys())
            unseen_since = max(since, seen_to - OVERLAP)
            missed = [job for job in recent if job.status.is_finished and job.updated_at >= unseen_since]
            ended = _latest([*left.values(), *missed])
            known = {*active, *(job_id for job_id, job in ended.items() if not job.status.is_finished)}
            seen_to = max([seen_to, *(job.updated_at for job in (*active.values(), *recent))])
            yield Overview(list(active.values()), list(ended.values()), await store.counts())


async def _newest(store: JobStore, limit: int, status: BackgroundJobStatus | None = None) -> list[BackgroundJob]:
    return await store.find(JobQuery(status=status, limit=limit))


def _latest(jobs: Iterable[BackgroundJob]) -> dict[int, BackgroundJob]:
    """Return jobs by id; the lists are read one after the other, so the later state of a job wins."""
    return {job.id: job for job in sorted(jobs, key=lambda job: job.updated_at)}


@attrs.define
class Changes:
    """Filters the jobs that have changed since the last snapshot; new jobs count from ``since``."""

    since: datetime
    _seen: dict[int, BackgroundJob] = attrs.field(init=False, factory=dict[int, BackgroundJob])

    def among(self, jobs: Iterable[BackgroundJob]) -> list[BackgroundJob]:
        """Return the changed jobs in order of id, and remember them."""
        given = {job.id: job for job in jobs}
        news = [given[job_id] for job_id in sorted(given) if self._has_changed(given[job_id])]
        self._seen = {job_id: seen for job_id, seen in self._seen.items() if job_id in given}
        return news

    def _has_changed(self, job: BackgroundJob) -> bool:
        seen = self._seen.get(job.id)
        if seen is not None and seen.updated_at > job.updated_at:
            return False
        self._seen[job.id] = job
        if seen is None:
            return job.updated_at >= self.since or job.status is BackgroundJobStatus.RUNNING
        return _visible(seen) != _visible(job)


def _visible(job: BackgroundJob) -> tuple[object, ...]:
    return job.status, job.attempts, job.progress, job.progress_message, job.last_error, job.cancel_requested_at
