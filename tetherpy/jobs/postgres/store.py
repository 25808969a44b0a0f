"""The job store on PostgreSQL: the interface that any process uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs
import psycopg

from tetherpy.database import AppTransaction, DatabaseClosedError, PostgresDatabase, TransactionHeldError

from ..arguments import is_storable, to_deletion, to_status
from ..capabilities import EngineCapabilities
from ..definitions.enqueued import ids_of
from ..definitions.job_id import JobId
from ..engine import Closed, ignore
from ..errors import JobNotFoundError, JobRunningError, JobTablesMissingError
from ..model import BackgroundJob, JobAttempt, JobCounts, NewJob, WorkerRecord
from ..query import JobPage, JobQuery
from ..status import BackgroundJobStatus
from ..storage.engine_settings import EngineSettings
from ..storage.row_decoding import to_attempts, to_job, to_workers
from ..storage.timeline import JobTimeline
from . import enqueueing, moving, schema
from .calls.notifying import CHANNEL, LATER, announcing, notify_of
from .calls.requests import ask, call, transact
from .finding import has_nul, query_of_view
from .statements import sql
from .timeline import timeline

DELETED_AT_ONCE = 1000
TABLE = "tetherpy_job_records"
"""The table that identifies the jobs of a connection."""

POSTGRES_CAPABILITIES = EngineCapabilities(
    engine="PostgreSQL",
    needs="a PostgreSQL server, and the extra `postgres`",
    several_machines=True,
    enqueue_in="`PostgresDatabase.transaction()`, or a transaction of SQLAlchemy or psycopg",
    creates_tables_in_transaction=False,
    add_with_sql="`SELECT tetherpy_defer_jobs(jobs, now())`, `jobs` a JSON array",
    watches_sql=False,
    name_characters=128,
    priority_bits=32,
    nul_in_names=False,
    dead_worker="at once if another worker of its machine lives, else after its lease",
)
"""The limits of ``PostgresJobEngine``."""


@attrs.define(eq=False)
class PostgresJobStore(EngineSettings):
    """Store jobs in Procrastinate's tables of an open ``PostgresDatabase``, each with one record more.

    Calls raise ``DatabaseUnavailableError`` if the server does not respond; those that only read, or are
    idempotent, are repeated for a while before. Calls that change something, and get no transaction, raise
    ``TransactionHeldError`` in a task that has one open on the database.
    """

    db: PostgresDatabase

    @property
    def capabilities(self) -> EngineCapabilities:
        """Return this engine's limits."""
        return POSTGRES_CAPABILITIES

    async def prepare(self) -> None:
        """Create or update the tables if necessary; every other call does this first.

        Raises as ``schema.prepare`` does, and ``JobTablesMissingError`` if they do not exist and the calling task holds
        a transaction, which could roll them back.
        """
        if not self._is_prepared:
            if not await schema.is_prepared(self.db):
                try:
                    self.db.check_free("prepare")
                except TransactionHeldError as error:
                    raise JobTablesMissingError from error
                await schema.prepare(self.db)
            self._is_prepared = True

    async def enqueue(self, jobs: Iterable[NewJob[Any]], transaction: AppTransaction | None = None) -> list[JobId[Any]]:
        """Store all jobs or none; see ``JobStore.enqueue``.

        Raises ``JobTablesMissingError`` if the tables do not exist: they cannot be created in the transaction.
        """
        now, jobs = self.clock(), list(jobs)
        rows = [enqueueing.to_row(job, now, self.max_payload_bytes, self.capabilities) for job in jobs]
        if not rows:
            return []
        if transaction is not None:
            joined = await self.db.join(transaction, TABLE)
            try:
                steps = enqueueing.statements(rows, now, notify_of(joined))
                return ids_of(jobs, await enqueueing.insert_joined(joined, steps))
            except psycopg.errors.UndefinedFunction as error:
                raise JobTablesMissingError from error
        await self.prepare()
        steps = enqueueing.statements(rows, now, LATER)
        with announcing(self.db):
            if len(steps) == 1:
                return ids_of(jobs, await call(self.db, *steps[0]))
            stored = await transact(self.db, lambda connection: enqueueing.insert(connection, steps))
            return ids_of(jobs, stored)

    async def get(self, job_id: int) -> BackgroundJob | None:
        """Return the job, None if it does not exist; raise ``UnreadableJobError`` if its row cannot be decoded."""
        rows = await self._ask("job_by_id", id=job_id) if is_storable(job_id) else []
        return to_job(rows[0]) if rows else None

    async def get_many(self, job_ids: Iterable[int]) -> Mapping[int, BackgroundJob]:
        """Return those of the jobs that exist and can be read."""
        jobs = self._reader.read(await self._ask("jobs_by_ids", ids=list(filter(is_storable, job_ids))))
        return {job.id: job for job in jobs}

    async def find(self, query: JobQuery) -> JobPage:
        """Return the jobs that a query asks for."""
        if has_nul(query):
            return JobPage()
        await self.prepare()
        return JobPage.of(query, await ask(self.db, *query_of_view(query)), self._reader.read)

    async def attempts(self, job_id: int) -> list[JobAttempt]:
        """Return the attempts of a job, oldest first; the one that runs now comes from the job's own row."""
        job = await self.get(job_id)
        if job is None:
            raise JobNotFoundError(job_id)
        running = await self._ask("running_logs", id=job_id)
        return to_attempts(job, await self._ask("attempts", id=job_id), running[0][0] if running else None)

    async def counts(self) -> JobCounts:
        """Count the jobs in each state."""
        jobs = {status: count for status, count, _ in await self._ask("counts")}
        return JobCounts(**{status.value.lower(): jobs.get(status.value, 0) for status in BackgroundJobStatus})

    async def unhandled(self) -> Mapping[str, int]:
        """Return the keys whose jobs were set aside, and how many each has."""
        return dict(await self._ask("unhandled"))

    async def timeline(self, since: datetime, limit: int) -> JobTimeline:
        """Return when jobs were enqueued and finished since a moment."""
        await self.prepare()
        return await timeline(self.db, since, self.clock(), limit)

    async def move(self, job_id: int, status: BackgroundJobStatus | str, *, error: str | None = None) -> BackgroundJob:
        """Move a job along the table of legal moves."""
        wanted = to_status(status)
        await self.prepare()
        return await transact(
            self.db,
            lambda connection: moving.move(connection, job_id, wanted, error, self.clock(), self.lease),
        )

    async def retry(self, job_id: int, *, reset_attempts: bool) -> BackgroundJob:
        """Make a finished job PENDING again, at once."""
        await self.prepare()
        return await transact(
            self.db, lambda connection: moving.retry(connection, job_id, reset_attempts, self.clock())
        )

    async def request_cancel(self, job_id: int) -> BackgroundJob:
        """Cancel a PENDING job now, ask a RUNNING one's worker to stop it."""
        await self.prepare()
        return await transact(self.db, lambda connection: moving.request_cancel(connection, job_id, self.clock()))

    async def delete(self, job_id: int) -> bool:
        """Delete a job that is not RUNNING, and its attempts."""
        if is_storable(job_id) and await self._delete([job_id]):
            return True
        if await self.get(job_id) is None:
            return False
        raise JobRunningError(f"Job {job_id}", "deleted")

    async def delete_by_status(
        self, status: BackgroundJobStatus | str, older_than: timedelta | float | None = None
    ) -> int:
        """Delete jobs of one status, a thousand per transaction."""
        status, before = to_deletion(status, older_than, self.clock())
        deleted, after = 0, 0
        while rows := await self._ask(
            "deletable", status=status.value, before=before, after=after, limit=DELETED_AT_ONCE
        ):
            ids = [row[0] for row in rows]
            deleted += await self._delete(ids, before, status)
            after = ids[-1]
        return deleted

    async def _delete(
        self, ids: list[int], before: datetime | None = None, status: BackgroundJobStatus | None = None
    ) -> int:
        values = {"ids": ids, "before": before, "status": None if status is None else status.value}
        return len(await self._call("delete", **values))

    async def revisions(self) -> Mapping[str, int]:
        """Return the number per status that moves with its jobs."""
        return {status: moves for status, _, moves in await self._ask("counts")}

    def on_change(self, callback: Callable[[], None], closed: Closed = ignore) -> Callable[[], None]:
        """Call back after any process, on any machine, committed a change to jobs; return the remover."""
        return self.db.listener.add(
            CHANNEL, callback, lambda: closed(DatabaseClosedError(self.db.name)), newest=sql("moves")
        )

    async def workers(self) -> list[WorkerRecord]:
        """Return the registered workers, oldest first."""
        return to_workers(await self._ask("workers"))

    async def _ask(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        await self.prepare()
        return await ask(self.db, sql(statement), values)

    async def _call(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        await self.prepare()
        return await call(self.db, sql(statement), values)
