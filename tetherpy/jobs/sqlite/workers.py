"""The table of workers and the leases they keep up."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta

from ..model import Names, WorkerRecord
from ..storage.row_decoding import to_workers
from ..storage.timestamps import to_text
from .statements import fetch, sql


def register(connection: sqlite3.Connection, worker: WorkerRecord) -> None:
    """Record a worker; the same id again replaces the row."""
    connection.execute(
        sql("register_worker"),
        (
            worker.id,
            worker.pid,
            worker.host,
            to_text(worker.started_at),
            to_text(worker.heartbeat_at),
            worker.notification_title,
            worker.notification_content,
            _encoded(worker.job_keys),
        ),
    )


def heartbeat(
    connection: sqlite3.Connection,
    worker_id: str,
    title: str | None,
    content: str | None,
    job_keys: Names,
    now: datetime,
    lease: timedelta,
) -> frozenset[int]:
    """Say that a worker lives; return the ids whose cancellation was asked for."""
    connection.execute(sql("heartbeat"), (to_text(now), title, content, _encoded(job_keys), worker_id))
    connection.execute(sql("extend_leases"), (to_text(now + lease), worker_id))
    return cancel_requested(connection, worker_id)


def cancel_requested(connection: sqlite3.Connection, worker_id: str) -> frozenset[int]:
    """Return the ids of a worker's jobs that should stop."""
    return frozenset(row[0] for row in connection.execute(sql("cancel_requested"), (worker_id,)))


def _encoded(job_keys: Names) -> str | None:
    return None if job_keys is None else json.dumps(sorted(job_keys))


def unregister(connection: sqlite3.Connection, worker_id: str) -> None:
    """Forget a worker."""
    connection.execute(sql("unregister_worker"), (worker_id,))


def registered(connection: sqlite3.Connection) -> list[WorkerRecord]:
    """Return the registered workers, oldest first; rows that cannot be read are left out with a warning."""
    return to_workers(fetch(connection, sql("workers"), ()))


def claimants(connection: sqlite3.Connection) -> frozenset[str]:
    """Return every worker id that is registered or holds a RUNNING job."""
    return frozenset(row[0] for row in connection.execute(sql("claimants")))
