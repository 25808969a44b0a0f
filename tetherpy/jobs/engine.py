"""What a job engine must do: the protocol under manager, streams and worker."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeAlias

from .capabilities import EngineCapabilities
from .model import BackgroundJob, JobAttempt, JobCounts, NewJob, WorkerRecord
from .outcomes import Ack, AckAndFetch, Progress
from .query import JobQuery
from .status import BackgroundJobStatus
from .storage.timeline import JobTimeline

Closed: TypeAlias = Callable[[Exception], None]


def ignore(_: Exception) -> None:
    """Take no notice of a closed store: the next call to it raises anyway."""


class JobStore(Protocol):
    """Store jobs and answer questions about them: the side of an engine that any process uses."""

    @property
    def capabilities(self) -> EngineCapabilities:
        """Return what the engine can do; what it cannot is an ``EngineLimitError`` at the call."""
        ...

    async def prepare(self) -> None:
        """Create whatever the engine keeps jobs in, unless it is there; other calls do it if need be."""
        ...

    async def enqueue(self, jobs: Iterable[NewJob], transaction: Any | None = None) -> list[int]:
        """Store all jobs or none, in one transaction; return their ids in the order given.

        With ``transaction`` they are stored in the app's own and are there when that commits.
        """
        ...

    async def get(self, job_id: int) -> BackgroundJob | None:
        """Return the job, or None if there is none."""
        ...

    async def get_many(self, job_ids: Iterable[int]) -> Mapping[int, BackgroundJob]:
        """Return those of the jobs that exist, by id."""
        ...

    async def find(self, query: JobQuery) -> list[BackgroundJob]:
        """Return the jobs that a query asks for."""
        ...

    async def attempts(self, job_id: int) -> list[JobAttempt]:
        """Return the attempts of a job, oldest first, the one that runs now included."""
        ...

    async def counts(self) -> JobCounts:
        """Count the jobs in each state, in a time that does not grow with the table."""
        ...

    async def unhandled(self) -> Mapping[str, int]:
        """Return the keys of due jobs that were set aside, and how many each has, none counted beyond 10,000.

        A job is set aside by a worker that meets it and has no handler for its key.
        """
        ...

    async def timeline(self, since: datetime, limit: int) -> JobTimeline:
        """Return when jobs were enqueued and finished since a moment, from a later one on if they are too many.

        At most ``limit`` of those enqueued meanwhile are read, and as many of those that were there before.
        """
        ...

    async def workers(self) -> list[WorkerRecord]:
        """Return the registered workers, oldest first."""
        ...

    async def move(self, job_id: int, status: BackgroundJobStatus, *, error: str | None = None) -> BackgroundJob:
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

    async def delete_by_status(self, status: BackgroundJobStatus, older_than: timedelta | None = None) -> int:
        """Delete jobs of one status, last changed before ``older_than`` ago; return how many."""
        ...

    async def revisions(self) -> Mapping[str, int]:
        """Return a number per status that has changed if any job of that status may have changed.

        A job that leaves a status, enters it, or changes within it, changes that status' number.
        """
        ...

    def on_change(self, callback: Callable[[], None], closed: Closed = ignore) -> Callable[[], None]:
        """Call back in the loop after any process committed a change to jobs; return the remover.

        ``closed`` is given the error that calls raise from now on when what keeps the jobs is closed.
        """
        ...


class WorkQueue(Protocol):
    """Hand out work and take its outcome: the side of an engine that workers use."""

    def on_worker(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back in the loop after any process registered a worker, or more often; return the remover."""
        ...

    async def register_worker(self, worker: WorkerRecord) -> None:
        """Record a worker before it claims anything."""
        ...

    async def heartbeat(
        self,
        worker_id: str,
        *,
        title: str | None = None,
        content: str | None = None,
        job_keys: frozenset[str] | None = None,
    ) -> frozenset[int]:
        """Extend the leases of a worker's jobs, keep its notification and keys, return asked cancellations."""
        ...

    async def refuse_newer(self) -> None:
        """Raise ``SchemaNewerError`` once newer code has changed the tables: this worker should end."""
        ...

    async def unregister_worker(self, worker_id: str) -> None:
        """Forget a worker; jobs it still holds stay its own until they are rescued."""
        ...

    async def claimants(self) -> frozenset[str]:
        """Return the ids of all workers that are registered or hold a RUNNING job."""
        ...

    async def cancel_requested(self, worker_id: str) -> frozenset[int]:
        """Return the ids of the worker's running jobs whose cancellation was asked for."""
        ...

    async def ack_and_fetch(
        self,
        worker_id: str,
        acks: Sequence[Ack],
        slots: int,
        queues: Sequence[str] | None = None,
        keys: Collection[str] | None = None,
    ) -> AckAndFetch:
        """Settle finished attempts and claim jobs for the free slots, in one transaction.

        ``queues`` and ``keys`` limit the claim to some queues and job keys; None takes all. Jobs of other keys that
        come first are set aside, and are found by workers that know their key. With nothing to settle
        and nothing to claim, no write lock is taken. What the answer says was postponed is not settled yet.
        """
        ...

    async def fail_unhandled(self, job_key: str, error: str) -> int:
        """Make up to a thousand jobs of a key FAILED that were set aside; return how many these were.

        None does if a registered worker has a handler for the key, also one that registers at the same time.
        """
        ...

    async def acknowledge(self, ack: Ack, transaction: Any, progress: Progress | None = None) -> None:
        """Settle in the handler's own transaction: its writes, the progress and the outcome commit together.

        Raises ``ClaimLostError`` if the job is no longer this worker's, which rolls back the
        writes of a handler that lets it pass.
        """
        ...

    async def report_progress(self, updates: Iterable[Progress]) -> None:
        """Store progress of claims; what was reported too late changes nothing."""
        ...

    async def rescue(self, worker_ids: Iterable[str]) -> list[int]:
        """Take the RUNNING jobs of dead workers back; return their ids.

        The attempt stays counted and its row says "worker died". A job that has used up its
        attempts becomes FAILED, one whose cancellation was asked CANCELLED, others PENDING.
        """
        ...

    async def rescue_expired(self) -> list[int]:
        """Take back RUNNING jobs whose lease was not extended for as long as a lease lasts.

        The time is measured on this process' monotonic clock, from the first call that saw the
        lease as it is: call it regularly. A wall clock that is moved rescues nothing.
        """
        ...

    async def enqueue_tick(self, name: str, tick: datetime, job: NewJob) -> int | None:
        """Enqueue the job of one tick of a periodic job; None if any worker already did."""
        ...

    async def newest_tick(self, name: str, first: datetime) -> datetime:
        """Return the newest tick of a periodic job that has its job; remember ``first`` as that if none has.

        A tick between this and now was missed: no worker lived, or the database was away.
        """
        ...

    async def delete_finished(self, older_than: timedelta, limit: int = 1000) -> int:
        """Delete at most ``limit`` jobs that finished longer ago than ``older_than``."""
        ...


class JobEngine(JobStore, WorkQueue, Protocol):
    """Keep jobs durably: both sides in one."""
