"""The table of workers and the leases they keep up."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs

from tetherpy.database import PostgresDatabase

from ..leases import Registration
from ..model import Names, WorkerRecord
from .calls.requests import ask, repeat
from .encoding import to_names, to_text
from .statements import sql


async def register(db: PostgresDatabase, worker: WorkerRecord) -> None:
    """Record a worker, with Procrastinate too; the same id again replaces the row."""
    values = {
        "id": worker.id,
        "pid": worker.pid,
        "host": worker.host,
        "started_at": worker.started_at,
        "heartbeat_at": worker.heartbeat_at,
        "title": to_text(worker.notification_title),
        "content": to_text(worker.notification_content),
        "job_keys": to_names(worker.job_keys),
    }
    await repeat(db, sql("register_worker"), values)


async def heartbeat(
    db: PostgresDatabase,
    worker: WorkerRecord | None,
    worker_id: str,
    title: str | None,
    content: str | None,
    job_keys: Names,
    now: datetime,
    lease: timedelta,
) -> frozenset[int]:
    """Say that a worker lives; return the ids whose cancellation was asked for.

    ``worker`` is its registration, made again if it was removed: the machine was suspended for that long.
    """
    title, content = to_text(title), to_text(content)
    values = {"id": worker_id, "now": now, "title": title, "content": content, "job_keys": to_names(job_keys)}
    if not await repeat(db, sql("heartbeat"), values) and worker is not None:
        await register(db, _after_beat(worker, now, title, content, job_keys))
    await repeat(db, sql("extend_leases"), {"id": worker_id, "lease": now + lease})
    await repeat(db, sql("compact_counts"), {})
    return await cancel_requested(db, worker_id)


def _after_beat(
    worker: WorkerRecord, now: datetime, title: str | None, content: str | None, job_keys: Names
) -> WorkerRecord:
    return attrs.evolve(
        worker,
        heartbeat_at=now,
        notification_title=worker.notification_title if title is None else title,
        notification_content=worker.notification_content if content is None else content,
        job_keys=worker.job_keys if job_keys is None else frozenset(job_keys),
    )


async def cancel_requested(db: PostgresDatabase, worker_id: str) -> frozenset[int]:
    """Return the ids of a worker's jobs that should stop."""
    return frozenset(row[0] for row in await ask(db, sql("cancel_requested"), {"id": worker_id}))


async def unregister(db: PostgresDatabase, worker_id: str) -> None:
    """Forget a worker."""
    await repeat(db, sql("unregister_worker"), {"id": worker_id})


async def claimants(db: PostgresDatabase) -> frozenset[str]:
    """Return every worker id that is registered or holds a RUNNING job."""
    return frozenset(row[0] for row in await ask(db, sql("claimants"), {}))


async def registrations(db: PostgresDatabase) -> frozenset[Registration]:
    """Return the registrations, each with its last heartbeat."""
    return frozenset(Registration(*row) for row in await ask(db, sql("registrations"), {}))


async def forget(db: PostgresDatabase, silent: frozenset[Registration]) -> None:
    """Remove those of the workers whose last heartbeat is still the one given, and that hold no job."""
    ids, beats = zip(*((worker.worker_id, worker.heartbeat_at) for worker in silent), strict=True)
    await repeat(db, sql("forget_workers"), {"ids": list(ids), "beats": list(beats)})
