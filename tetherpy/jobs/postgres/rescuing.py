"""Rescue jobs from workers that died or hang."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tetherpy.database import PostgresDatabase

from ..leases import LEASE_EXPIRED, WORKER_DIED, Lease
from .calls.requests import ask, repeat
from .statements import sql


async def rescue_from(db: PostgresDatabase, worker_ids: Iterable[str], now: datetime) -> list[int]:
    """Rescue every RUNNING job of these workers."""
    return await _rescue(db, "rescue", WORKER_DIED, now, workers=list(worker_ids))


async def running_leases(db: PostgresDatabase) -> frozenset[Lease]:
    """Return the leases of all RUNNING jobs."""
    return frozenset(Lease(*row) for row in await ask(db, sql("leases"), {}))


async def rescue_unchanged(db: PostgresDatabase, leases: frozenset[Lease], now: datetime) -> list[int]:
    """Rescue the jobs whose lease is still the one given: a worker that has resumed keeps its jobs."""
    ids, attempts, ends = zip(*((lease.job_id, lease.attempt, lease.expires_at) for lease in leases), strict=True)
    return await _rescue(
        db, "rescue_expired", LEASE_EXPIRED, now, ids=list(ids), attempts=list(attempts), ends=list(ends)
    )


async def _rescue(db: PostgresDatabase, statement: str, outcome: str, now: datetime, **which: Any) -> list[int]:
    rows = await repeat(db, sql(statement), {**which, "outcome": outcome, "now": now})
    return sorted(row[0] for row in rows)
