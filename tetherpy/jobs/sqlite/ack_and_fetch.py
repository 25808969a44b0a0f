"""Settling and claiming in one transaction: what a worker does between batches of work."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

from ..outcomes import Exchange, Settlement
from .acknowledging import settle
from .claiming import Offer, claim, is_work_there
from .delayed_jobs import next_due, promote


def idle_exchange(connection: sqlite3.Connection, now: datetime, offer: Offer) -> Exchange | None:
    """Return what an exchange without settlements comes to if there is nothing to claim, else None."""
    due = next_due(connection)
    if (due is not None and due.has_come(now)) or is_work_there(connection, offer):
        return None
    return Exchange(next_due=None if due is None else due.instant)


def exchange(
    connection: sqlite3.Connection,
    worker_id: str,
    settlements: Sequence[Settlement],
    slots: int,
    offer: Offer,
    now: datetime,
    lease: timedelta,
) -> Exchange:
    """Settle first, so that a job given back here can be claimed here too, then claim."""
    rejected = tuple(settlement for settlement in settlements if not settle(connection, settlement, now))
    due = promote(connection, now)
    if slots <= 0:
        return Exchange(rejected=rejected, next_due=due)
    claims, is_more = claim(connection, worker_id, slots, offer, now, lease)
    return Exchange(tuple(claims), rejected, now if is_more else due)
