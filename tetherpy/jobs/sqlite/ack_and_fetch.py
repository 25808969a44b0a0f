"""Settling and claiming in one transaction: what a worker does between batches of work."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

from ..outcomes import Ack, AckAndFetch
from .acknowledging import acknowledge
from .claiming import Offer, claim, is_work_there
from .delayed_jobs import next_due, promote


def idle_ack_and_fetch(connection: sqlite3.Connection, now: datetime, offer: Offer) -> AckAndFetch | None:
    """Return what an exchange without settlements comes to if there is nothing to claim, else None."""
    due = next_due(connection)
    if (due is not None and due.has_come(now)) or is_work_there(connection, offer):
        return None
    return AckAndFetch(next_due=None if due is None else due.instant)


def ack_and_fetch(
    connection: sqlite3.Connection,
    worker_id: str,
    acks: Sequence[Ack],
    slots: int,
    offer: Offer,
    now: datetime,
    lease: timedelta,
) -> AckAndFetch:
    """Settle first, so that a job given back here can be claimed here too, then claim."""
    rejected = tuple(ack for ack in acks if not acknowledge(connection, ack, now))
    due = promote(connection, now)
    if slots <= 0:
        return AckAndFetch(rejected=rejected, next_due=due)
    claims, is_more = claim(connection, worker_id, slots, offer, now, lease)
    return AckAndFetch(tuple(claims), rejected, now if is_more else due)
