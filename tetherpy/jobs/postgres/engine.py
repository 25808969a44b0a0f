"""The work queue on PostgreSQL: claims, outcomes, leases, workers and ticks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs

from tetherpy.database import AppTransaction
from tetherpy.durations import to_span

from ..leases import Lease, LeaseWatch, Registration
from ..model import Names, NewJob, WorkerRecord
from ..outcomes import Ack, AckAndFetch, Progress
from . import acknowledging, claiming, encoding, enqueueing, rescuing, schema, workers
from .calls.notifying import CHANNEL
from .calls.requests import repeat, report
from .held_claims import HeldClaims
from .statements import sql
from .store import DELETED_AT_ONCE, TABLE, PostgresJobStore

FORGOTTEN_AFTER_LEASES = 4


@attrs.define(eq=False)
class PostgresJobEngine(PostgresJobStore):
    """Hand out the jobs of a store to workers on any machine, and store their outcomes."""

    _held: HeldClaims = attrs.field(init=False, factory=HeldClaims)
    _reporting: asyncio.Lock = attrs.field(init=False, factory=asyncio.Lock)
    _registered: dict[str, WorkerRecord] = attrs.field(init=False, factory=dict[str, WorkerRecord])
    _leases: LeaseWatch[Lease] = attrs.field(
        init=False,
        default=attrs.Factory(lambda self: LeaseWatch(self.lease, self.monotonic), takes_self=True),
    )
    _registrations: LeaseWatch[Registration] = attrs.field(
        init=False,
        default=attrs.Factory(
            lambda self: LeaseWatch(FORGOTTEN_AFTER_LEASES * self.lease, self.monotonic), takes_self=True
        ),
    )

    def on_worker(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back after any process registered a worker; return the remover."""
        return self.db.listener.add(CHANNEL, callback)

    async def register_worker(self, worker: WorkerRecord) -> None:
        """Record a worker before it claims anything; it keeps a connection for its heartbeats."""
        self.db.reserve_own_connection(True)
        await self.prepare()
        await workers.register(self.db, worker)
        self._registered[worker.id] = worker

    async def heartbeat(
        self, worker_id: str, *, title: str | None = None, content: str | None = None, job_keys: Names = None
    ) -> frozenset[int]:
        """Extend a worker's leases; return the ids of its jobs whose cancellation was requested.

        Raises ``TimeoutError`` after two thirds of a lease: a server that does not respond must not make a worker look
        hung to its supervisor.
        """
        now, worker = self.clock(), self._registered.get(worker_id)
        async with asyncio.timeout(self.lease.total_seconds() * 2 / 3):
            await self.prepare()
            return await workers.heartbeat(self.db, worker, worker_id, title, content, job_keys, now, self.lease)

    async def refuse_newer(self) -> None:
        """Raise ``SchemaNewerError`` once newer code has changed the tables."""
        await schema.refuse_newer(self.db)

    async def unregister_worker(self, worker_id: str) -> None:
        """Forget a worker."""
        self._registered.pop(worker_id, None)
        self._held.forget(worker_id)
        await self.prepare()
        await workers.unregister(self.db, worker_id)
        self.db.reserve_own_connection(bool(self._registered))

    async def claimants(self) -> frozenset[str]:
        """Return the ids of workers that are registered or hold a RUNNING job."""
        await self.prepare()
        return await workers.claimants(self.db)

    async def cancel_requested(self, worker_id: str) -> frozenset[int]:
        """Return the ids of a worker's jobs that should stop."""
        await self.prepare()
        return await workers.cancel_requested(self.db, worker_id)

    async def ack_and_fetch(
        self, worker_id: str, acks: Sequence[Ack], slots: int, queues: Names = None, keys: Names = None
    ) -> AckAndFetch:
        """Acknowledge and claim in one transaction and one round trip; with neither to do, return at once."""
        if not acks and slots <= 0:
            return AckAndFetch()
        async with self._reporting:
            pass  # earlier reports of progress use another connection, and are stored first
        await self.prepare()
        return await claiming.ack_and_fetch(
            self.db, self._held, worker_id, acks, slots, queues, keys, self.clock(), self.lease
        )

    async def fail_unhandled(self, job_key: str, error: str) -> int:
        """Make jobs of a key FAILED that were set aside, unless a registered worker has a handler for it."""
        values = {"key": job_key, "error": encoding.to_text(error), "now": self.clock(), "limit": DELETED_AT_ONCE}
        return len(await self._repeat("fail_unhandled", **values))

    async def acknowledge(self, ack: Ack, transaction: AppTransaction, progress: Progress | None = None) -> None:
        """Acknowledge in the handler's transaction, or raise ``ClaimLostError``."""
        joined = await self.db.join(transaction, TABLE)
        await acknowledging.acknowledge(joined, ack, progress, self.clock())

    async def report_progress(self, updates: Iterable[Progress]) -> None:
        """Store progress of claims; reports of lost claims change nothing.

        Raises ``DatabaseLockedError`` if another transaction keeps a row locked for a second.
        """
        await self.prepare()
        await acknowledging.report_progress(self.db, updates, self._reporting, self.clock)

    async def rescue(self, worker_ids: Iterable[str]) -> list[int]:
        """Rescue every RUNNING job of these workers."""
        await self.prepare()
        return await rescuing.rescue_from(self.db, worker_ids, self.clock())

    async def rescue_expired(self) -> list[int]:
        """Rescue jobs whose lease expired; remove workers without a heartbeat for four leases.

        The machine of such a worker is gone, else its other workers would have noticed the death. Raises
        ``TimeoutError`` after a third of a lease, for the same reason as ``heartbeat``.
        """
        async with asyncio.timeout(self.lease.total_seconds() / 3):
            await self.prepare()
            overdue = self._leases.overdue(await rescuing.running_leases(self.db))
            rescued = await rescuing.rescue_unchanged(self.db, overdue, self.clock()) if overdue else []
            await self._forget_silent()
        return rescued

    async def _forget_silent(self) -> None:
        silent = self._registrations.overdue(await workers.registrations(self.db))
        if silent:
            await workers.forget(self.db, silent)

    async def enqueue_tick(self, name: str, tick: datetime, job: NewJob) -> int | None:
        """Enqueue the job of one tick; None if any worker already did."""
        self.capabilities.check_name("name of a periodic job", name)
        now = self.clock()
        row = enqueueing.to_row(job, now, self.max_payload_bytes, self.capabilities)
        await self.prepare()
        return await enqueueing.enqueue_tick(self.db, name, tick, row, now)

    async def newest_tick(self, name: str, first: datetime) -> datetime:
        """Return the newest enqueued tick of a periodic job; see ``WorkQueue.newest_tick``."""
        self.capabilities.check_name("name of a periodic job", name)
        await self.prepare()
        return await enqueueing.newest_tick(self.db, name, first)

    async def delete_finished(self, older_than: timedelta | float, limit: int = DELETED_AT_ONCE) -> int:
        """Delete at most ``limit`` jobs that finished longer ago than ``older_than``."""
        await self.prepare()
        values = {"before": self.clock() - to_span("older_than", older_than), "limit": limit}
        return len(await report(self.db, sql("delete_finished"), values))

    async def _repeat(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        await self.prepare()
        return await repeat(self.db, sql(statement), values)
