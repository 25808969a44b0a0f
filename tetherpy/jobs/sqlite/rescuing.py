"""Rescue jobs from workers that died or hang."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

from ..leases import LEASE_EXPIRED, WORKER_DIED, Lease
from ..storage.timestamps import to_text
from .statements import sql


def rescue_from(connection: sqlite3.Connection, worker_ids: Iterable[str], now: datetime) -> list[int]:
    """Rescue every RUNNING job of these workers."""
    rows = connection.execute(sql("running_of"), (json.dumps(list(worker_ids)),)).fetchall()
    return rescue_claims(connection, [row[0] for row in rows], WORKER_DIED, now)


def rescue_claims(connection: sqlite3.Connection, job_ids: list[int], outcome: str, now: datetime) -> list[int]:
    """Rescue those of the jobs that are RUNNING, and store their interrupted attempts."""
    if not job_ids:
        return []
    values = {"now": to_text(now), "outcome": outcome, "ids": json.dumps(job_ids)}
    connection.execute(sql("rescue_attempts"), values)
    return sorted(row[0] for row in connection.execute(sql("rescue"), values).fetchall())


def running_leases(connection: sqlite3.Connection) -> frozenset[Lease]:
    """Return the leases of all RUNNING jobs."""
    return frozenset(Lease(*row) for row in connection.execute(sql("leases")))


def rescue_unchanged(connection: sqlite3.Connection, leases: frozenset[Lease], now: datetime) -> list[int]:
    """Rescue the jobs whose lease is still the one given: a worker that has resumed keeps its jobs."""
    unchanged = running_leases(connection) & leases
    return rescue_claims(connection, [lease.job_id for lease in unchanged], LEASE_EXPIRED, now)
