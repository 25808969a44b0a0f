"""Settling and claiming in one transaction: what a worker does between batches of work."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

from ..outcomes import Exchange, Settlement
from .claiming import claim, is_work_there, next_due, promote
from .settling import settle


def idle_exchange(connection: sqlite3.Connection, now: datetime, queues: Sequence[str] | None) -> Exchange | None:
    """Return what an exchange without settlements comes to if there is nothing to claim, else None."""
    due = next_due(connection)
    if (due is not None and due <= now) or is_work_there(connection, queues):
        return None
    return Exchange(next_due=due)


def exchange(
    connection: sqlite3.Connection,
    worker_id: str,
    settlements: Sequence[Settlement],
    slots: int,
    queues: Sequence[str] | None,
    now: datetime,
    lease: timedelta,
) -> Exchange:
    """Settle first, so that a job given back here can be claimed here too, then claim."""
    rejected = tuple(settlement for settlement in settlements if not settle(connection, settlement, now))
    due = promote(connection, now)
    claims = claim(connection, worker_id, slots, queues, now, lease) if slots > 0 else ()
    return Exchange(tuple(claims), rejected, due)
