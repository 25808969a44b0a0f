"""One job per tick of a periodic job, however many workers ask for it."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from ..storage.timestamps import from_text, to_text
from .enqueueing import NewRow, insert
from .statements import sql

_REMEMBERED = timedelta(days=30)


def enqueue_tick(connection: sqlite3.Connection, name: str, tick: datetime, row: NewRow) -> int | None:
    """Store the job of a tick unless another worker has; ticks older than 30 days are forgotten."""
    tick_text = to_text(tick)
    if connection.execute(sql("record_tick"), (name, tick_text)).rowcount == 0:
        return None
    (job_id,) = insert(connection, [row])
    connection.execute(sql("name_tick_job"), (job_id, name, tick_text))
    connection.execute(sql("forget_ticks"), (name, to_text(tick - _REMEMBERED)))
    return job_id


def newest_tick(connection: sqlite3.Connection, name: str, first: datetime) -> datetime:
    """Return the newest tick that is remembered; remember ``first``, without a job, if none is."""
    (newest,) = connection.execute(sql("newest_tick"), (name,)).fetchone()
    if newest is not None:
        return from_text(newest)
    connection.execute(sql("record_tick"), (name, to_text(first)))
    return first
