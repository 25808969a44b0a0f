"""Following jobs: what a watch shows, each time that something has changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import ExitStack, aclosing
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from tetherpy.jobs import BackgroundJob, BackgroundJobManager, BackgroundJobStatus, JobCounts, JobNotFoundError

if TYPE_CHECKING:
    from reactivex import Observable

K = TypeVar("K")

WINDOW = 1000
"""So many PENDING and so many RUNNING jobs are followed, the newest."""


async def latest(streams: Mapping[K, Observable[Any]]) -> AsyncGenerator[Mapping[K, Any]]:
    """Yield the newest value of every stream once all have one, and again after changes; close it when done.

    What changes while the caller is busy is seen together, so that only the last of it shows. An error of
    a stream is raised.
    """
    values: dict[K, Any] = {}
    errors: list[Exception] = []
    news = asyncio.Event()

    def keeper(key: K) -> Callable[[Any], None]:
        def keep(value: Any) -> None:
            values[key] = value
            news.set()

        return keep

    def fail(error: Exception) -> None:
        errors.append(error)
        news.set()

    with ExitStack() as subscriptions:
        for key, stream in streams.items():
            subscriptions.callback(stream.subscribe(keeper(key), fail).dispose)
        while True:
            await news.wait()
            news.clear()
            if errors:
                raise errors[0]
            if len(values) == len(streams):
                yield values


async def follow_each(manager: BackgroundJobManager, job_ids: Iterable[int]) -> AsyncGenerator[list[BackgroundJob]]:
    """Yield some jobs as they are, and after each change, until all have finished.

    Raises ``JobNotFoundError`` if one is not there, or is deleted meanwhile.
    """
    async with aclosing(latest({job_id: manager.watch_job(job_id) for job_id in job_ids})) as changes:
        async for jobs in changes:
            for job_id, job in jobs.items():
                if job is None:
                    raise JobNotFoundError(job_id)
            yield list(jobs.values())
            if all(job.status.is_finished for job in jobs.values()):
                return


@attrs.frozen
class Overview:
    """What there is to see of all jobs: those that wait or run, those that have just ended, and the counts."""

    active: list[BackgroundJob]
    ended: list[BackgroundJob]
    counts: JobCounts


async def follow_all(manager: BackgroundJobManager) -> AsyncGenerator[Overview]:
    """Yield an overview of all jobs, and another after each change, without end.

    A job that was enqueued and ended between two looks is among the ended too. Of more than ``WINDOW`` jobs
    in one state the oldest are left out.
    """
    known: set[int] = set()
    newest: int | None = None
    active_states = (BackgroundJobStatus.PENDING, BackgroundJobStatus.RUNNING)
    streams: dict[object, Observable[Any]] = {
        status: manager.watch_jobs_by_status(status, limit=WINDOW) for status in active_states
    }
    async with aclosing(latest({**streams, JobCounts: manager.watch_counts()})) as changes:
        async for values in changes:
            active = _newer(job for status in active_states for job in values[status])
            recent = await manager.find_jobs(limit=WINDOW, order_by_creation="DESC")
            left = await manager.engine.get_many(known - active.keys())
            unseen = [job for job in recent if newest is not None and job.id > newest and job.status.is_finished]
            ended = _newer([*left.values(), *unseen])
            known = {*active, *(job_id for job_id, job in ended.items() if not job.status.is_finished)}
            newest = max([newest or 0, *(job.id for job in recent)])
            yield Overview(list(active.values()), list(ended.values()), values[JobCounts])


def _newer(jobs: Iterable[BackgroundJob]) -> dict[int, BackgroundJob]:
    """Sort jobs by id; of two looks at one job the later counts, as the lists are read one after the other."""
    found: dict[int, BackgroundJob] = {}
    for job in sorted(jobs, key=lambda job: job.updated_at):
        found[job.id] = job
    return found


@attrs.define
class Changes:
    """Tell which jobs have changed since they were last looked at, and for new ones since ``since``."""

    since: datetime
    _seen: dict[int, BackgroundJob] = attrs.field(init=False, factory=dict[int, BackgroundJob])

    def among(self, jobs: Iterable[BackgroundJob]) -> list[BackgroundJob]:
        """Return the jobs that are news, by id, and remember them."""
        return [job for job in sorted(jobs, key=lambda job: job.id) if self._is_news(job)]

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
