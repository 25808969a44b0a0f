"""Taking the jobs that come next."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from heapq import nsmallest

from ..errors import UnreadableJobError
from ..outcomes import Claim
from ..status import BackgroundJobStatus
from ..timestamps import from_text, to_text
from .rows import fetch_changed, to_job
from .settling import Fence, finish
from .statements import sql


def is_work_there(connection: sqlite3.Connection, queues: Sequence[str] | None) -> bool:
    """Look, without the write lock, whether a claim would find anything."""
    return bool(_queues_with_work(connection, queues))


def promote(connection: sqlite3.Connection, now: datetime) -> datetime | None:
    """Let delayed jobs that have fallen due be claimed; return when the next one will be."""
    due = next_due(connection)
    if due is None or due > now:
        return due
    connection.execute(sql("promote"), (to_text(now),))
    return next_due(connection)


def claim(
    connection: sqlite3.Connection,
    worker_id: str,
    slots: int,
    queues: Sequence[str] | None,
    now: datetime,
    lease: timedelta,
) -> list[Claim]:
    """Claim up to ``slots`` jobs: higher priority first, then ``run_at``, then id, across queues."""
    now_text = to_text(now)
    claims: list[Claim] = []
    while (wanted := slots - len(claims)) > 0 and (ids := _next_ids(connection, wanted, queues)):
        values = (worker_id, to_text(now + lease), now_text, now_text, json.dumps(ids))
        rows = fetch_changed(connection, sql("claim"), values)
        for row in rows:
            try:
                claims.append(Claim(to_job(row[1:]), fence=row[0]))
            except UnreadableJobError as error:
                _fail_unreadable(connection, error, now_text, (row[1], worker_id, row[0]))
        if len(ids) < wanted:
            break
    # RETURNING promises no order (sqlite.org/lang_returning.html).
    claims.sort(key=lambda claim: (-claim.job.priority, claim.job.run_at, claim.id))
    return claims


def next_due(connection: sqlite3.Connection) -> datetime | None:
    """Return when the earliest delayed job falls due; None too if something else wrote no time there."""
    (text,) = connection.execute(sql("next_due")).fetchone()
    try:
        return None if text is None else from_text(text)
    except (TypeError, ValueError):
        return None


def _next_ids(connection: sqlite3.Connection, slots: int, queues: Sequence[str] | None) -> list[int]:
    ready = [
        tuple(row)
        for queue in _queues_with_work(connection, queues)
        for row in connection.execute(sql("ready"), (queue, slots))
    ]
    return [row[-1] for row in nsmallest(slots, ready)]


def _queues_with_work(connection: sqlite3.Connection, queues: Sequence[str] | None) -> list[bytes]:
    if queues is None:
        return [row[0] for row in connection.execute(sql("ready_queues"))]
    names = [name.encode() for name in dict.fromkeys(queues)]
    return [name for name in names if connection.execute(sql("has_ready"), (name,)).fetchone()]


def _fail_unreadable(connection: sqlite3.Connection, error: Exception, now_text: str, fence: Fence) -> None:
    finish(connection, BackgroundJobStatus.FAILED, None, f"{type(error).__name__}: {error}", now_text, fence)
