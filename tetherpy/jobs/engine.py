"""The protocols of a job engine: storage for any process, and the work queue for workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeAlias

from tetherpy.database import AppTransaction, SqlDatabase

from .capabilities import EngineCapabilities
from .definitions.job_id import JobId
from .model import BackgroundJob, JobAttempt, JobCounts, Names, NewJob, WorkerRecord
from .outcomes import Ack, AckAndFetch, Progress
from .query import JobPage, JobQuery
from .status import BackgroundJobStatus
from .storage.timeline import JobTimeline

Closed: TypeAlias = Callable[[Exception], None]


def ignore(_: Exception) -> None:
    """Ignore that a store was closed: the next call to it raises."""


class JobStore(Protocol):
    """Store and query jobs: the interface that any process uses."""

    @property
    def db(self) -> SqlDatabase:
        """Return the open database that holds the jobs."""
        ...

    @property
    def capabilities(self) -> EngineCapabilities:
        """Return the engine's limits; a call beyond them raises ``EngineLimitError``."""
        ...

    def now(self) -> datetime:
        """Return the time that decides what is due."""
        ...

    async def prepare(self) -> None:
        """Create the tables unless they exist; other calls do so if necessary."""
        ...

    async def enqueue(self, jobs: Iterable[NewJob[Any]], transaction: AppTransaction | None = None) -> list[JobId[Any]]:
        """Store all jobs or none, in one transaction; return their ids in the order given.

        With ``transaction`` they become part of the app's transaction and exist once it commits.
        """
        ...

    async def get(self, job_id: int) -> BackgroundJob | None:
        """Return the job; None if it does not exist."""
        ...

    async def get_many(self, job_ids: Iterable[int]) -> Mapping[int, BackgroundJob]:
        """Return those of the jobs that exist, by id."""
        ...

    async def find(self, query: JobQuery) -> JobPage:
        """Return the jobs that match a query."""
        ...

    async def attempts(self, job_id: int) -> list[JobAttempt]:
        """Return the attempts of a job, oldest first, including the running one."""
        ...

    async def counts(self) -> JobCounts:
        """Count the jobs in each state, in a time that does not grow with the table."""
        ...

    async def unhandled(self) -> Mapping[str, int]:
        """Count the due jobs that were set aside, by key, up to 10,000 per key.

        A worker sets a job aside if it has no handler for the job's key.
        """
        ...

    async def timeline(self, since: datetime, limit: int) -> JobTimeline:
        """Return when jobs were enqueued and finished since an instant, or since a later one if there are too many.

        Reads at most ``limit`` of the jobs enqueued since, and as many of the older ones.
        """
        ...

    async def workers(self) -> list[WorkerRecord]:
        """Return the registered workers, oldest first."""
        ...

    async def move(self, job_id: int, status: BackgroundJobStatus | str, *, error: str | None = None) -> BackgroundJob:
        """Move a job along the table of legal moves; raise ``IllegalJobTransitionError`` otherwise."""
        ...

    async def retry(self, job_id: int, *, reset_attempts: bool) -> BackgroundJob:
        """Make a finished job PENDING again, at once."""
        ...

    async def request_cancel(self, job_id: int) -> BackgroundJob:
        """Cancel a PENDING job now; ask a RUNNING one's worker to stop it."""
        ...

    async def delete(self, job_id: int) -> bool:
        """Delete a job that is not RUNNING, and its attempts; tell whether it was there."""
        ...

    async def delete_by_status(
        self, status: BackgroundJobStatus | str, older_than: timedelta | float | None = None
    ) -> int:
        """Delete jobs of one status, last changed before ``older_than`` ago; return how many."""
        ...

    async def revisions(self) -> Mapping[str, int]:
        """Return a revision number per status; it changes with every change of a job that has or had the status."""
        ...

    def on_change(self, callback: Callable[[], None], closed: Closed = ignore) -> Callable[[], None]:
        """Call back in the loop after any process committed a change to jobs; return the remover.

        ``closed`` is called with the error that later calls raise when the database is closed.
        """
        ...


class WorkQueue(Protocol):
    """Hand out jobs and store their outcomes: the interface that workers use."""

    def on_worker(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back in the loop after any process registered a worker, or more often; return the remover."""
        ...

    async def register_worker(self, worker: WorkerRecord) -> None:
        """Record a worker before it claims anything."""
        ...

    async def heartbeat(
        self, worker_id: str, *, title: str | None = None, content: str | None = None, job_keys: Names = None
    ) -> frozenset[int]:
        """Extend the leases of a worker's jobs and store its notification and keys.

        Returns the ids of its jobs whose cancellation was requested."""
        ...

    async def refuse_newer(self) -> None:
        """Raise ``SchemaNewerError`` once newer code has changed the tables: this worker should end."""
        ...

    async def unregister_worker(self, worker_id: str) -> None:
        """Remove a worker's registration; its jobs stay RUNNING until they are rescued."""
        ...

    async def claimants(self) -> frozenset[str]:
        """Return the ids of all workers that are registered or hold a RUNNING job."""
        ...

    async def cancel_requested(self, worker_id: str) -> frozenset[int]:
        """Return the ids of the worker's jobs whose cancellation was requested."""
        ...

    async def ack_and_fetch(
        self, worker_id: str, acks: Sequence[Ack], slots: int, queues: Names = None, keys: Names = None
    ) -> AckAndFetch:
        """Acknowledge ended attempts and claim jobs for the free slots, in one transaction.

        ``queues`` and ``keys`` restrict the claim to some queues and job keys; None takes all. Jobs of other keys that
        come first are set aside; workers that have a handler for their key find them. With nothing to acknowledge and
        nothing to claim, no write lock is taken. Postponed acks must be given again.
        """
        ...

    async def fail_unhandled(self, job_key: str, error: str) -> int:
        """Make up to 1,000 jobs of a key FAILED that were set aside; return their number.

        The number is 0 if a registered worker has a handler for the key, even one that registers at the same time.
        """
        ...

    async def acknowledge(self, ack: Ack, transaction: AppTransaction, progress: Progress | None = None) -> None:
        """Acknowledge in the handler's transaction: its writes, the progress and the outcome commit together.

        Raises ``ClaimLostError`` if the worker has lost the claim; the transaction then rolls back.
        """
        ...

    async def report_progress(self, updates: Iterable[Progress]) -> None:
        """Store progress of claims; reports of lost claims change nothing."""
        ...

    async def rescue(self, worker_ids: Iterable[str]) -> list[int]:
        """Rescue the RUNNING jobs of dead workers; return their ids.

        The attempt counts and its outcome is "worker died"; ``after_rescue`` decides the status.
        """
        ...

    async def rescue_expired(self) -> list[int]:
        """Rescue RUNNING jobs whose lease was not extended for the length of a lease; return their ids.

        Measures the time on this process' monotonic clock, from the first call that saw the lease unchanged: call it
        regularly. A change of the wall clock rescues nothing.
        """
        ...

    async def enqueue_tick(self, name: str, tick: datetime, job: NewJob[Any]) -> int | None:
        """Enqueue the job of one tick of a periodic job; None if any worker already did."""
        ...

    async def newest_tick(self, name: str, first: datetime) -> datetime:
        """Return the newest tick of a periodic job that was enqueued; store ``first`` as that if there is no tick.

        Ticks between it and now were missed: no worker ran, or the database was unavailable.
        """
        ...

    async def delete_finished(self, older_than: timedelta | float, limit: int = 1000) -> int:
        """Delete at most ``limit`` jobs that finished longer ago than ``older_than``."""
        ...


class JobEngine(JobStore, WorkQueue, Protocol):
    """A complete engine: storage and work queue."""
