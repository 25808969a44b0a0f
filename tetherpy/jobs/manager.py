"""The job manager: enqueue, inspect, watch and manage jobs from any process."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack, overload

import attrs

from tetherpy.database import Address, AppTransaction, Migration, SqlDatabase
from tetherpy.durations import to_optional_span

from .arguments import to_integer, to_status, to_string
from .definitions.call_signature import Enqueueable, Q
from .definitions.definition import JobDefinition
from .definitions.ended import JobCancelledError, JobFailedError
from .definitions.job_id import JobId
from .engine import JobStore
from .errors import JobMismatchError, JobNotFoundError
from .live.job_queries import Counts, ManyJobs, OneJob
from .live.live_views import LiveViewHub
from .live.wait_until_finished import wait_until_finished
from .model import BackgroundJob, EnqueueOptions, JobAttempt, JobCounts, NewJob, NewJobOptions, WorkerRecord
from .opening import open_database, store_of
from .query import JobPage, JobQuery, ListOptions
from .status import BackgroundJobStatus
from .storage.timeline import TIMELINE_JOBS, JobTimeline

if TYPE_CHECKING:
    from tetherpy.observables import IterableObservable

P = TypeVar("P")
R = TypeVar("R")


@attrs.define(eq=False)
class BackgroundJobManager:
    """Enqueue, inspect, watch and manage jobs, in any process that has the database open.

    ``BackgroundJobManager.open(address)`` opens the database too; the constructor takes an open one, or an engine. It
    holds no resources of the database until something is subscribed, and frees them when the last subscription is
    disposed.
    """

    engine: JobStore = attrs.field(converter=store_of)
    _hub: LiveViewHub = attrs.field(
        init=False, default=attrs.Factory(lambda self: LiveViewHub(self.engine), takes_self=True)
    )

    @classmethod
    @asynccontextmanager
    async def open(
        cls, address: Address, *, migrations: Iterable[Migration] = (), pool_size: int = 10
    ) -> AsyncGenerator[Self]:
        """Open a database with the tables of the jobs, and close it at the end of the block.

        ``address`` is the path of an SQLite file or a ``postgresql://`` URL; ``migrations`` are the app's own.
        Arguments and errors are those of ``open_database``.
        """
        async with open_database(address, migrations=migrations, pool_size=pool_size) as db:
            yield cls(db)

    @property
    def database(self) -> SqlDatabase:
        """Return the open database, for the app's own tables and transactions."""
        return self.engine.db

    @overload
    async def enqueue(self, job: JobDefinition[P, R], /, payload: P, **options: Unpack[EnqueueOptions]) -> JobId[R]: ...
    @overload
    async def enqueue(
        self, job: JobDefinition[P | None, R], /, payload: None = None, **options: Unpack[EnqueueOptions]
    ) -> JobId[R]: ...
    @overload
    async def enqueue(self, job: Enqueueable[Q, R], /, *args: Q.args, **kwargs: Q.kwargs) -> JobId[R]: ...
    @overload
    async def enqueue(self, job_key: str, payload: object = None, **options: Unpack[EnqueueOptions]) -> JobId[Any]: ...
    async def enqueue(  # type: ignore[misc]  # pyright: ignore[reportInconsistentOverload] - of Enqueueable
        self,
        job_key: str | JobDefinition[Any, Any],
        payload: object = None,
        *,
        transaction: AppTransaction | None = None,
        **options: Unpack[NewJobOptions],
    ) -> JobId[Any]:
        """Store a job of a definition, or of a key, and return its id; it is durable when this returns.

        With ``transaction`` it is part of the app's transaction and durable once that commits. The other arguments are
        those of ``NewJob``; they override the options of the definition. Raises ``PayloadEncodeError`` or
        ``PayloadTooLargeError`` before anything is stored.
        """
        if isinstance(job_key, JobDefinition):
            job = job_key.new(payload, **options)
        else:
            job = NewJob(job_key=job_key, payload=payload, **options)
        (job_id,) = await self.engine.enqueue([job], transaction)
        return job_id

    async def enqueue_many(
        self, jobs: Iterable[NewJob[R]], *, transaction: AppTransaction | None = None
    ) -> list[JobId[R]]:
        """Store all jobs or none, in one transaction; return their ids in order."""
        return await self.engine.enqueue(jobs, transaction)

    async def get_job_by_id(self, job_id: int) -> BackgroundJob | None:
        """Return the job, None if it does not exist; raise ``UnreadableJobError`` if its row cannot be decoded."""
        return await self.engine.get(_id(job_id))

    async def get_jobs_by_status(self, status: BackgroundJobStatus | str, **options: Unpack[ListOptions]) -> JobPage:
        """Return the jobs in one state, by default the newest hundred; ``options`` are those of ``JobQuery``."""
        return await self.find_jobs(JobQuery(status=status, **options))

    async def get_jobs_by_job_key(self, job_key: str, **options: Unpack[ListOptions]) -> JobPage:
        """Return the jobs of one key, by default the newest hundred; ``options`` are those of ``JobQuery``."""
        return await self.find_jobs(JobQuery(job_key=job_key, **options))

    async def get_all_jobs(self, **options: Unpack[ListOptions]) -> JobPage:
        """Return jobs, by default the newest hundred; ``options`` are those of ``JobQuery``."""
        return await self.find_jobs(JobQuery(**options))

    async def find_jobs(self, query: JobQuery) -> JobPage:
        """Return a page of the jobs that match a query; rows that cannot be read are left out with a warning.

        The page's ``next`` is the ``cursor`` of the page that follows.
        """
        return await self.engine.find(query)

    async def get_job_count_by_status(self, status: BackgroundJobStatus | str) -> int:
        """Count the jobs in one state; its time does not grow with the table."""
        return (await self.engine.counts()).by_status[to_status(status)]

    async def get_counts(self) -> JobCounts:
        """Count the jobs in every state; its time does not grow with the table."""
        return await self.engine.counts()

    async def get_attempts(self, job_id: int) -> list[JobAttempt]:
        """Return a job's attempts, oldest first, the running one included."""
        return await self.engine.attempts(_id(job_id))

    async def get_timeline(self, since: datetime, *, limit: int = TIMELINE_JOBS) -> JobTimeline:
        """Return when jobs were enqueued, started and finished since an instant.

        It starts later if there are more than ``limit`` jobs, because its cost grows with their number.
        """
        return await self.engine.timeline(since, limit)

    async def get_workers(self) -> list[WorkerRecord]:
        """Return the registered workers, oldest first; a killed one is listed until others notice."""
        return await self.engine.workers()

    async def update_job_status(
        self, job_id: int, status: BackgroundJobStatus | str, *, error: str | None = None
    ) -> BackgroundJob:
        """Change a job's status manually; raise ``IllegalJobTransitionError`` for a move that is not legal.

        A worker that runs the job loses its claim. A job made RUNNING manually is rescued after one lease, as if its
        worker hung.
        """
        return await self.engine.move(_id(job_id), status, error=None if error is None else to_string("error", error))

    async def reset_job_for_retry(self, job_id: int) -> BackgroundJob:
        """Make a finished job PENDING as if it had never run: no attempts counted, no last error."""
        return await self.engine.retry(_id(job_id), reset_attempts=True)

    async def retry_job(self, job_id: int) -> BackgroundJob:
        """Make a finished job PENDING for one more attempt; the earlier ones still count."""
        return await self.engine.retry(_id(job_id), reset_attempts=False)

    async def cancel_job(self, job_id: int) -> BackgroundJob:
        """Cancel a PENDING job; request the cancellation of a RUNNING one, and notify its worker.

        A CANCELLED job does not change; one that ended otherwise raises ``IllegalJobTransitionError``. A job whose
        cancellation was requested does not run again.
        """
        return await self.engine.request_cancel(_id(job_id))

    async def delete_job(self, job_id: int) -> None:
        """Delete a job and its attempts; a RUNNING one is a ``JobRunningError``."""
        if not await self.engine.delete(_id(job_id)):
            raise JobNotFoundError(job_id)

    async def delete_jobs_by_status(
        self, status: BackgroundJobStatus | str, older_than: timedelta | float | None = None
    ) -> int:
        """Delete the jobs of a status last changed longer ago than ``older_than``; return how many."""
        return await self.engine.delete_by_status(status, older_than)

    async def wait_for(
        self,
        job_id: int,
        timeout: timedelta | float | None = None,  # noqa: ASYNC109 - the public contract names it
    ) -> BackgroundJob:
        """Wait until a job has finished, and return it; the change arrives within milliseconds.

        Raises ``JobWaitTimeoutError`` after ``timeout`` (the job continues), ``JobNotFoundError`` if the job does not
        exist or is deleted.
        """
        return await wait_until_finished(self._hub, _id(job_id), to_optional_span("timeout", timeout))

    @overload
    async def result(self, job_id: JobId[R], timeout: timedelta | float | None = None) -> R: ...  # noqa: ASYNC109
    @overload
    async def result(self, job_id: int, timeout: timedelta | float | None = None) -> object: ...  # noqa: ASYNC109
    async def result(
        self,
        job_id: int,
        timeout: timedelta | float | None = None,  # noqa: ASYNC109 - the public contract names it
    ) -> object:
        """Wait until a job has ended, and return its result, decoded to the type that the id knows.

        For a plain number the result is plain JSON; ``definition.job_id(number)`` gives it a type.

        Raises ``JobFailedError`` or ``JobCancelledError`` for a job that ended so, ``PayloadDecodeError`` if the result
        does not fit the type, ``JobMismatchError`` if the job has another key than the id, and errors as ``wait_for``.
        """
        job = await self.wait_for(job_id, timeout)
        key: str | None = getattr(job_id, "job_key", None)
        if key is not None and key != job.job_key:
            raise JobMismatchError(job.id, key, job.job_key)
        if job.status is BackgroundJobStatus.COMPLETED:
            return job.result_as(getattr(job_id, "result_type", object))
        raise (JobFailedError if job.status is BackgroundJobStatus.FAILED else JobCancelledError)(job.job_key, job)

    def watch_job(self, job_id: int) -> IterableObservable[BackgroundJob | None]:
        """Observe one job: now, and after each change; None while it does not exist."""
        return self._observe(OneJob(_id(job_id)))

    def follow_job(self, job_id: int) -> IterableObservable[BackgroundJob]:
        """Observe one job until it has finished: now, and after each change; then the stream completes.

        A job that does not exist, or is deleted, ends the stream with ``JobNotFoundError``.
        """
        from .live.observables import observe_until_finished

        return observe_until_finished(self._hub, _id(job_id))

    def watch_jobs_by_status(
        self, status: BackgroundJobStatus | str, **options: Unpack[ListOptions]
    ) -> IterableObservable[JobPage]:
        """Observe the jobs in one state, by default the newest hundred; ``options`` are those of ``JobQuery``."""
        return self.watch_jobs(JobQuery(status=status, **options))

    def watch_jobs(self, query: JobQuery) -> IterableObservable[JobPage]:
        """Observe the jobs that match a query; subscribers of equal queries share one live query."""
        return self._observe(ManyJobs(query))

    def watch_counts(self) -> IterableObservable[JobCounts]:
        """Observe how many jobs are in each state."""
        return self._observe(Counts())

    def _observe(self, query_of_view: Any) -> IterableObservable[Any]:
        from .live.observables import observe

        return observe(self._hub, query_of_view)


def _id(job_id: int) -> int:
    return to_integer("job_id", job_id)
