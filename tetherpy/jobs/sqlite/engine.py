"""The job engine on SQLite: each call is one hop to the connection thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar, TypeVarTuple

import attrs

from tetherpy.database import AppTransaction, Database, JoinedTransaction, TransactionHeldError
from tetherpy.durations import to_span

from ..arguments import to_deletion, to_status
from ..capabilities import EngineCapabilities
from ..definitions.enqueued import ids_of
from ..definitions.job_id import JobId
from ..engine import Closed, ignore
from ..errors import ClaimLostError, JobTablesMissingError
from ..leases import Lease, LeaseWatch
from ..model import BackgroundJob, JobAttempt, JobCounts, Names, NewJob, WorkerRecord
from ..outcomes import Ack, AckAndFetch, Progress
from ..query import JobPage, JobQuery
from ..status import BackgroundJobStatus
from ..storage.engine_settings import EngineSettings
from ..storage.row_decoding import JobReader
from ..storage.timeline import JobTimeline
from ..storage.timestamps import to_text
from . import acknowledging, deleting, enqueueing, finding, moving, rescuing, unhandled_jobs, workers
from .claiming import Offer, ack_and_fetch, idle_ack_and_fetch
from .schema import JOB_MIGRATIONS
from .timeline import timeline

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_COUNTS_TABLE = "background_service_job_counts"

SQLITE_CAPABILITIES = EngineCapabilities(
    engine="SQLite",
    needs="nothing",
    several_machines=False,
    enqueue_in="`Database.transaction()`, or a transaction of SQLAlchemy, `sqlite3` or `aiosqlite`",
    creates_tables_in_transaction=True,
    add_with_sql="`INSERT INTO background_service_jobs`",
    watches_sql=True,
    dead_worker="at once if another worker lives",
)
"""The limits of ``SqliteJobEngine``."""


@attrs.define(eq=False)
class SqliteJobEngine(EngineSettings):
    """Store jobs in the tables of an open ``Database``.

    Errors of the database itself pass through.
    """

    db: Database
    _searcher: JobReader = attrs.field(init=False, factory=JobReader)  # used on another thread
    _leases: LeaseWatch[Lease] = attrs.field(
        init=False,
        default=attrs.Factory(lambda self: LeaseWatch(self.lease, self.monotonic), takes_self=True),
    )

    @property
    def capabilities(self) -> EngineCapabilities:
        """Return this engine's limits."""
        return SQLITE_CAPABILITIES

    async def prepare(self) -> None:
        """Create the job tables if necessary; every other call does this first.

        Raises ``JobTablesMissingError`` if they do not exist and the calling task holds a transaction: then open the
        database with ``migrations=JOB_MIGRATIONS``. An enqueue that is given the transaction creates them in it.
        """
        if self._is_prepared:
            return
        try:
            await self.db.migrate(JOB_MIGRATIONS)
        except TransactionHeldError as error:
            raise JobTablesMissingError from error
        self._is_prepared = True

    async def _prepare_in(self, transaction: JoinedTransaction) -> None:
        # Tables that the transaction creates are rolled back with it, so only committed tables count.
        if not self._is_prepared:
            self._is_prepared = await self.db.is_migrated(JOB_MIGRATIONS)
        if not self._is_prepared:
            await transaction.migrate(JOB_MIGRATIONS)

    async def _run(self, function: Callable[[sqlite3.Connection, *Ts], T], *args: *Ts) -> T:
        await self.prepare()
        return await self.db.run(function, *args)

    async def _read(self, function: Callable[[sqlite3.Connection, *Ts], T], *args: *Ts) -> T:
        await self.prepare()
        return await self.db.read(function, *args)

    async def enqueue(self, jobs: Iterable[NewJob[Any]], transaction: AppTransaction | None = None) -> list[JobId[Any]]:
        """Store all jobs or none; see ``JobStore.enqueue``."""
        now, jobs = self.clock(), list(jobs)
        now_text = to_text(now)
        rows = [enqueueing.to_row(job, now, now_text, self.max_payload_bytes) for job in jobs]
        if not rows:
            return []
        if transaction is None:
            return ids_of(jobs, await self._run(enqueueing.insert, rows))
        joined = await self.db.join(transaction)
        await self._prepare_in(joined)
        return ids_of(jobs, await joined.run(enqueueing.insert, rows))

    async def get(self, job_id: int) -> BackgroundJob | None:
        """Return the job, None if it does not exist; raise ``UnreadableJobError`` if its row cannot be decoded."""
        return await self._read(moving.read, job_id)

    async def get_many(self, job_ids: Iterable[int]) -> Mapping[int, BackgroundJob]:
        """Return those of the jobs that exist and can be read."""
        return await self._read(finding.read_many, self._reader, list(job_ids))

    async def find(self, query: JobQuery) -> JobPage:
        """Return the jobs that a query asks for."""
        if not query.reads_every_row:
            return await self._read(finding.find, self._reader, query)
        await self.prepare()
        return await self.db.read_long(finding.find, self._searcher, query)

    async def attempts(self, job_id: int) -> list[JobAttempt]:
        """Return the attempts of a job, oldest first."""
        return await self._read(finding.attempts, job_id)

    async def counts(self) -> JobCounts:
        """Count the jobs in each state."""
        return await self._read(finding.counts)

    async def timeline(self, since: datetime, limit: int) -> JobTimeline:
        """Return when jobs were enqueued and finished since a moment."""
        return await self._read(timeline, since, self.clock(), limit)

    async def move(self, job_id: int, status: BackgroundJobStatus | str, *, error: str | None = None) -> BackgroundJob:
        """Move a job along the table of legal moves."""
        return await self._run(moving.move, job_id, to_status(status), error, self.clock(), self.lease)

    async def retry(self, job_id: int, *, reset_attempts: bool) -> BackgroundJob:
        """Make a finished job PENDING again, at once."""
        return await self._run(moving.retry, job_id, reset_attempts, self.clock())

    async def request_cancel(self, job_id: int) -> BackgroundJob:
        """Cancel a PENDING job now, ask a RUNNING one's worker to stop it."""
        return await self._run(moving.request_cancel, job_id, self.clock())

    async def delete(self, job_id: int) -> bool:
        """Delete a job that is not RUNNING, and its attempts."""
        return await self._run(deleting.delete_one, job_id)

    async def delete_by_status(
        self, status: BackgroundJobStatus | str, older_than: timedelta | float | None = None
    ) -> int:
        """Delete jobs of one status, a thousand per transaction."""
        status, before = to_deletion(status, older_than, self.clock())
        deleted, after = 0, 0
        while ids := await self._read(deleting.deletable, status, before, after):
            deleted += await self._run(deleting.delete_each, ids, before, status)
            after = ids[-1]
        return deleted

    async def revisions(self) -> Mapping[str, int]:
        """Return the number per status that moves with its jobs."""
        return await self._read(finding.revisions)

    def on_change(self, callback: Callable[[], None], closed: Closed = ignore) -> Callable[[], None]:
        """Call back after any process committed a change to jobs; return the remover."""

        def pass_on(tables: frozenset[str]) -> None:
            if _COUNTS_TABLE in tables:
                callback()

        return self.db.on_change(pass_on, lambda: closed(self.db.end()))

    def on_worker(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back after any process registered a worker, or anything else changed; return the remover."""
        return self.db.on_change(lambda _: callback())

    async def register_worker(self, worker: WorkerRecord) -> None:
        """Record a worker before it claims anything."""
        await self._run(workers.register, worker)

    async def heartbeat(
        self, worker_id: str, *, title: str | None = None, content: str | None = None, job_keys: Names = None
    ) -> frozenset[int]:
        """Extend a worker's leases; return the ids whose cancellation was asked for."""
        return await self._run(workers.heartbeat, worker_id, title, content, job_keys, self.clock(), self.lease)

    async def refuse_newer(self) -> None:
        """Raise ``SchemaNewerError`` once newer code has changed the tables."""
        await self.db.is_migrated(JOB_MIGRATIONS)

    async def unregister_worker(self, worker_id: str) -> None:
        """Forget a worker."""
        await self._run(workers.unregister, worker_id)

    async def workers(self) -> list[WorkerRecord]:
        """Return the registered workers, oldest first."""
        return await self._read(workers.registered)

    async def claimants(self) -> frozenset[str]:
        """Return the ids of workers that are registered or hold a RUNNING job."""
        return await self._read(workers.claimants)

    async def cancel_requested(self, worker_id: str) -> frozenset[int]:
        """Return the ids of a worker's jobs that should stop."""
        return await self._read(workers.cancel_requested, worker_id)

    async def ack_and_fetch(
        self, worker_id: str, acks: Sequence[Ack], slots: int, queues: Names = None, keys: Names = None
    ) -> AckAndFetch:
        """Acknowledge and claim in one transaction; with neither to do, begin none."""
        now, offer = self.clock(), Offer.of(queues, keys)
        if acks:
            return await self._run(ack_and_fetch, worker_id, acks, slots, offer, now, self.lease)
        if slots <= 0:
            return AckAndFetch()
        await self.prepare()
        idle = partial(idle_ack_and_fetch, now=now, offer=offer)
        return await self.db.run_unless(idle, ack_and_fetch, worker_id, acks, slots, offer, now, self.lease)

    async def unhandled(self) -> Mapping[str, int]:
        """Return the keys whose jobs were set aside, and how many each has."""
        return await self._read(unhandled_jobs.counts)

    async def fail_unhandled(self, job_key: str, error: str) -> int:
        """Make jobs of a key FAILED that were set aside, unless a registered worker has a handler for it."""
        return await self._run(unhandled_jobs.fail, job_key, error, self.clock())

    async def acknowledge(self, ack: Ack, transaction: AppTransaction, progress: Progress | None = None) -> None:
        """Acknowledge in the handler's transaction, or raise ``ClaimLostError``."""
        joined = await self.db.join(transaction)
        if progress is not None:
            await joined.run(acknowledging.report_progress, [progress], self.clock())
        if not await joined.run(acknowledging.acknowledge, ack, self.clock()):
            claim = ack.claim
            raise ClaimLostError(claim.id, claim.worker_id, claim.attempt)

    async def report_progress(self, updates: Iterable[Progress]) -> None:
        """Store progress of claims; reports of lost claims change nothing."""
        await self._run(acknowledging.report_progress, list(updates), self.clock())

    async def rescue(self, worker_ids: Iterable[str]) -> list[int]:
        """Rescue the RUNNING jobs of dead workers."""
        return await self._run(rescuing.rescue_from, list(worker_ids), self.clock())

    async def rescue_expired(self) -> list[int]:
        """Rescue RUNNING jobs whose lease expired."""
        overdue = self._leases.overdue(await self._read(rescuing.running_leases))
        if not overdue:
            return []
        return await self._run(rescuing.rescue_unchanged, overdue, self.clock())

    async def enqueue_tick(self, name: str, tick: datetime, job: NewJob[Any]) -> int | None:
        """Enqueue the job of one tick of a periodic job, once however many ask."""
        now = self.clock()
        row = enqueueing.to_row(job, now, to_text(now), self.max_payload_bytes)
        return await self._run(enqueueing.enqueue_tick, name, tick, row)

    async def newest_tick(self, name: str, first: datetime) -> datetime:
        """Return the newest enqueued tick of a periodic job; see ``WorkQueue.newest_tick``."""
        return await self._run(enqueueing.newest_tick, name, first)

    async def delete_finished(self, older_than: timedelta | float, limit: int = 1000) -> int:
        """Delete at most ``limit`` jobs that finished longer ago than ``older_than``."""
        before = self.clock() - to_span("older_than", older_than)
        ids = await self._read(deleting.finished_before, before, limit)
        return await self._run(deleting.delete_expired, ids, before) if ids else 0
