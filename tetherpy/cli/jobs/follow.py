"""Following jobs: what a watch shows, each time that something has changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta

import attrs

from tetherpy.jobs import BackgroundJob, BackgroundJobStatus, JobCounts, JobNotFoundError, JobQuery, JobStore

WINDOW = 1000
"""So many PENDING and so many RUNNING jobs are followed, the newest."""
NEWEST = 200
"""Among so many of the newest jobs are looked for those that ended unseen."""
OVERLAP = timedelta(seconds=1)
"""A commit may show later than others that were stamped after it."""
REST_SECONDS = 0.05
"""The shortest time between two looks; of what changes meanwhile the last shows."""


async def changes(store: JobStore) -> AsyncGenerator[None]:
    """Yield at once, and again after any process has changed a job; close it when done.

    If what keeps the jobs is closed, the error that says so is raised.
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
    """Yield some jobs as they are, and after each change, until all have finished.

    Raises ``JobNotFoundError`` if one is not there, or is deleted meanwhile.
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
    """What there is to see of all jobs: those that wait or run, those that have just ended, and the counts."""

    active: list[BackgroundJob]
    ended: list[BackgroundJob]
    counts: JobCounts


async def follow_all(store: JobStore, since: datetime) -> AsyncGenerator[Overview]:
    """Yield an overview of all jobs, and another after each change, without end.

    Among the ended are those that began and ended between two looks, after ``since`` and if they are of the newest;
    some are told twice. Of more than ``WINDOW`` jobs in one state the oldest are left out.
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
    return await store.find(JobQuery(status=status, limit=limit, order_by_creation="DESC"))


def _latest(jobs: Iterable[BackgroundJob]) -> dict[int, BackgroundJob]:
    """Sort jobs by id; of two looks at one job the later counts, as the lists are read one after the other."""
    return {job.id: job for job in sorted(jobs, key=lambda job: job.updated_at)}


@attrs.define
class Changes:
    """Tell which jobs have changed since they were last looked at, and for new ones since ``since``."""

    since: datetime
    _seen: dict[int, BackgroundJob] = attrs.field(init=False, factory=dict[int, BackgroundJob])

    def among(self, jobs: Iterable[BackgroundJob]) -> list[BackgroundJob]:
        """Return the jobs that are news, by id, and remember them."""
        given = {job.id: job for job in jobs}
        news = [given[job_id] for job_id in sorted(given) if self._is_news(given[job_id])]
        self._seen = {job_id: seen for job_id, seen in self._seen.items() if job_id in given}
        return news

    def _is_news(self, job: BackgroundJob) -> bool:
        seen = self._seen.get(job.id)
        if seen is not None and seen.updated_at > job.updated_at:
            return False
        self._seen[job.id] = job
        if seen is None:
            return job.updated_at >= self.since or job.status is BackgroundJobStatus.RUNNING
        return _visible(seen) != _visible(job)


def _visible(job: BackgroundJob) -> tuple[object, ...]:
    return job.status, job.attempts, job.progress, job.progress_message, job.last_error, job.cancel_requested_at
