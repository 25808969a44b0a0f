"""The work queue on PostgreSQL: claims, outcomes, leases, workers and ticks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from tetherpy.database import AppTransaction, DatabaseLockedError

from ..errors import ClaimLostError, UnreadableJobError
from ..leases import LEASE_EXPIRED, WORKER_DIED, Lease, LeaseWatch, Registration
from ..model import NewJob, WorkerRecord
from ..outcomes import Ack, AckAndFetch, Claim, Failed, Progress, Released
from ..storage.row_decoding import to_job
from ..transitions import end_of
from . import encoding, enqueueing, schema
from .held_claims import HeldClaims
from .notifying import CHANNEL, LATER, announcing, notify_of
from .requests import repeat, report
from .statements import sql
from .store import DELETED_AT_ONCE, TABLE, PostgresJobStore

logger = logging.getLogger("tetherpy.jobs")

FORGOTTEN_AFTER_LEASES = 4
PROGRESS_LOCKED_SECONDS = 1.0
LOCKED_AGAIN_SECONDS = 0.1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


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
        """Record a worker, with Procrastinate too, before it claims anything."""
        self.db.reserve_own_connection(True)
        await self._repeat(
            "register_worker",
            id=worker.id,
            pid=worker.pid,
            host=worker.host,
            started_at=worker.started_at,
            heartbeat_at=worker.heartbeat_at,
            title=encoding.to_text(worker.notification_title),
            content=encoding.to_text(worker.notification_content),
            job_keys=encoding.to_names(worker.job_keys),
        )
        self._registered[worker.id] = worker

    async def heartbeat(
        self,
        worker_id: str,
        *,
        title: str | None = None,
        content: str | None = None,
        job_keys: frozenset[str] | None = None,
    ) -> frozenset[int]:
        """Extend a worker's leases; return the ids of its jobs whose cancellation was requested.

        Raises ``TimeoutError`` after two thirds of a lease: a server that does not respond must not make a worker look
        hung to its supervisor.
        """
        now = self.clock()
        title, content = encoding.to_text(title), encoding.to_text(content)
        async with asyncio.timeout(self.lease.total_seconds() * 2 / 3):
            beating = await self._repeat(
                "heartbeat",
                id=worker_id,
                now=now,
                title=title,
                content=content,
                job_keys=encoding.to_names(job_keys),
            )
            if not beating and (worker := self._registered.get(worker_id)) is not None:
                # Its machine was suspended for so long that its registration was removed.
                await self.register_worker(_after_beat(worker, now, title, content, job_keys))
            await self._repeat("extend_leases", id=worker_id, lease=now + self.lease)
            await self._repeat("compact_counts")
            return await self.cancel_requested(worker_id)

    async def refuse_newer(self) -> None:
        """Raise ``SchemaNewerError`` once newer code has changed the tables."""
        await schema.refuse_newer(self.db)

    async def unregister_worker(self, worker_id: str) -> None:
        """Forget a worker."""
        self._registered.pop(worker_id, None)
        self._held.forget(worker_id)
        await self._repeat("unregister_worker", id=worker_id)
        self.db.reserve_own_connection(bool(self._registered))

    async def claimants(self) -> frozenset[str]:
        """Return the ids of workers that are registered or hold a RUNNING job."""
        return frozenset(row[0] for row in await self._ask("claimants"))

    async def cancel_requested(self, worker_id: str) -> frozenset[int]:
        """Return the ids of a worker's jobs that should stop."""
        return frozenset(row[0] for row in await self._ask("cancel_requested", id=worker_id))

    async def ack_and_fetch(
        self,
        worker_id: str,
        acks: Sequence[Ack],
        slots: int,
        queues: Sequence[str] | None = None,
        keys: Collection[str] | None = None,
    ) -> AckAndFetch:
        """Acknowledge and claim in one transaction and one round trip; with neither to do, return at once."""
        if not acks and slots <= 0:
            return AckAndFetch()
        async with self._reporting:
            pass  # earlier reports of progress use another connection, and are stored first
        now = self.clock()
        try:
            rows = await self._report(
                "ack_and_fetch",
                worker=worker_id,
                acks=encoding.encode([encoding.ack(given) for given in acks]) if acks else None,
                known=self._held.to_reconcile(worker_id),
                release=encoding.encode(encoding.attempt_end(end_of(Released()))),
                slots=slots,
                queues=encoding.to_names(queues),
                keys=encoding.to_names(keys),
                now=now,
                lease_end=now + self.lease,
            )
        except BaseException:
            self._held.response_lost(worker_id)
            raise
        rejected: list[int]
        postponed: list[int]
        rejected, postponed, next_due, changed = rows[-1][:4]
        if changed:
            self.db.announce(CHANNEL)
        claims, unreadable = _read_claims(worker_id, rows[:-1])
        acknowledged = [given for number, given in enumerate(acks) if number not in postponed]
        self._held.acknowledged_and_fetched(worker_id, acknowledged, claims)
        if unreadable:
            await self._fail_unreadable(worker_id, unreadable, now)
        return AckAndFetch(
            claims=tuple(claims),
            rejected=tuple(acks[number] for number in rejected),
            next_due=next_due,
            postponed=tuple(acks[number] for number in postponed),
        )

    async def _fail_unreadable(self, worker_id: str, unreadable: list[dict[str, Any]], now: datetime) -> None:
        try:
            with announcing(self.db):
                await self._repeat("acknowledge", acks=encoding.encode(unreadable), now=now, notify=LATER)
        except Exception:
            # The claims that can be read must reach the worker. Its next fetch releases the others.
            self._held.response_lost(worker_id)
            logger.exception("%d jobs that cannot be read could not be made FAILED", len(unreadable))

    async def fail_unhandled(self, job_key: str, error: str) -> int:
        """Make jobs of a key FAILED that were set aside, unless a registered worker has a handler for it."""
        values = {"key": job_key, "error": encoding.to_text(error), "now": self.clock(), "limit": DELETED_AT_ONCE}
        return len(await self._repeat("fail_unhandled", **values))

    async def acknowledge(
        self,
        ack: Ack,
        transaction: AppTransaction,
        progress: Progress | None = None,
    ) -> None:
        """Acknowledge in the handler's transaction, or raise ``ClaimLostError``."""
        joined = await self.db.join(transaction, TABLE)
        row = {**encoding.ack(ack), **({} if progress is None else encoding.progress_values(progress))}
        values = {"acks": encoding.encode([row]), "now": self.clock(), "notify": notify_of(joined)}
        if await joined.fetch(sql("acknowledge"), values):
            claim = ack.claim
            raise ClaimLostError(claim.id, claim.worker_id, claim.attempt)

    async def report_progress(self, updates: Iterable[Progress]) -> None:
        """Store progress of claims; reports of lost claims change nothing.

        Reports whose row another transaction has locked are stored last. Raises ``DatabaseLockedError`` if a row stays
        locked for a second.
        """
        left = encoding.progress(updates)
        deadline = asyncio.get_running_loop().time() + PROGRESS_LOCKED_SECONDS
        while True:
            async with self._reporting:
                ((locked, stored),) = await self._repeat(
                    "report_progress", updates=encoding.encode(left), now=self.clock()
                )
            if stored:
                self.db.announce(CHANNEL)
            left = [update for update in left if update["id"] in locked]
            if not left:
                return
            if asyncio.get_running_loop().time() >= deadline:
                raise DatabaseLockedError(self.db.name, PROGRESS_LOCKED_SECONDS)
            await asyncio.sleep(LOCKED_AGAIN_SECONDS)

    async def rescue(self, worker_ids: Iterable[str]) -> list[int]:
        """Rescue every RUNNING job of these workers."""
        return await self._rescued("rescue", WORKER_DIED, workers=list(worker_ids))

    async def rescue_expired(self) -> list[int]:
        """Rescue jobs whose lease expired; remove workers without a heartbeat for four leases.

        The machine of such a worker is gone, else its other workers would have noticed the death. Raises
        ``TimeoutError`` after a third of a lease, for the same reason as ``heartbeat``.
        """
        async with asyncio.timeout(self.lease.total_seconds() / 3):
            rescued = await self._rescue_overdue()
            await self._forget_silent()
        return rescued

    async def _rescue_overdue(self) -> list[int]:
        overdue = self._leases.overdue(frozenset(Lease(*row) for row in await self._ask("leases")))
        if not overdue:
            return []
        ids, attempts, ends = zip(*((lease.job_id, lease.attempt, lease.expires_at) for lease in overdue), strict=True)
        return await self._rescued(
            "rescue_expired", LEASE_EXPIRED, ids=list(ids), attempts=list(attempts), ends=list(ends)
        )

    async def _forget_silent(self) -> None:
        silent = self._registrations.overdue(frozenset(Registration(*row) for row in await self._ask("registrations")))
        if silent:
            ids, beats = zip(*((worker.worker_id, worker.heartbeat_at) for worker in silent), strict=True)
            await self._repeat("forget_workers", ids=list(ids), beats=list(beats))

    async def enqueue_tick(self, name: str, tick: datetime, job: NewJob) -> int | None:
        """Enqueue the job of one tick; None if any worker already did."""
        self.capabilities.check_name("name of a periodic job", name)
        now = self.clock()
        values = {
            "name": name,
            "tick": (tick - _EPOCH) // _MICROSECOND,
            "job": encoding.encode(enqueueing.to_row(job, now, self.max_payload_bytes, self.capabilities)),
            "now": now,
        }
        rows = await self._repeat("enqueue_tick", **values)
        job_id: int | None = rows[0][0]
        return job_id

    async def newest_tick(self, name: str, first: datetime) -> datetime:
        """Return the newest enqueued tick of a periodic job; see ``WorkQueue.newest_tick``."""
        self.capabilities.check_name("name of a periodic job", name)
        rows = await self._repeat("newest_tick", name=name, first=(first - _EPOCH) // _MICROSECOND)
        newest: int = rows[0][0]
        return _EPOCH + newest * _MICROSECOND

    async def _rescued(self, statement: str, outcome: str, **which: Any) -> list[int]:
        return sorted(row[0] for row in await self._repeat(statement, **which, outcome=outcome, now=self.clock()))

    async def delete_finished(self, older_than: timedelta, limit: int = DELETED_AT_ONCE) -> int:
        """Delete at most ``limit`` jobs that finished longer ago than ``older_than``."""
        return len(await self._report("delete_finished", before=self.clock() - older_than, limit=limit))

    async def _report(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        await self.prepare()
        return await report(self.db, sql(statement), values)

    async def _repeat(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        await self.prepare()
        return await repeat(self.db, sql(statement), values)


def _read_claims(worker_id: str, rows: Sequence[tuple[Any, ...]]) -> tuple[list[Claim], list[dict[str, Any]]]:
    """Return the claims of a fetch, and the acks that make FAILED those that cannot be read."""
    claims: list[Claim] = []
    unreadable: list[dict[str, Any]] = []
    for row in rows:
        try:
            claims.append(Claim(to_job(row[5:]), fencing_token=row[4]))
        except UnreadableJobError as error:
            claim = {"id": row[5], "worker": worker_id, "fencing_token": row[4], "attempt": row[9]}
            end = end_of(Failed(f"{type(error).__name__}: {error}"))
            unreadable.append({**claim, **encoding.attempt_end(end)})
    return claims, unreadable


def _after_beat(
    worker: WorkerRecord, now: datetime, title: str | None, content: str | None, job_keys: frozenset[str] | None
) -> WorkerRecord:
    return attrs.evolve(
        worker,
        heartbeat_at=now,
        notification_title=worker.notification_title if title is None else title,
        notification_content=worker.notification_content if content is None else content,
        job_keys=worker.job_keys if job_keys is None else job_keys,
    )
