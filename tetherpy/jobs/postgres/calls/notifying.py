"""Notify other processes of a change: after the commit if this process makes the commit, else in it."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from tetherpy.database import JoinedPostgres, PostgresDatabase

CHANNEL = "tetherpy_jobs"
LATER = "later"
"""With this value of ``tetherpy.notify`` a transaction does not notify; this process does so after the commit."""
_AT_ONCE = ""


def notify_of(joined: JoinedPostgres) -> str:
    """Return the value of ``tetherpy.notify`` for a transaction that changes jobs; arrange the later notification."""
    if joined.announces is None:
        return _AT_ONCE
    joined.announces.announce_when_committed(CHANNEL)
    return LATER


@contextmanager
def announcing(db: PostgresDatabase) -> Generator[None]:
    """Notify after a block that commits with ``LATER``, also if it is cancelled, since the commit may be done.

    If the connection is lost, listeners find the change when they compare the newest one.
    """
    try:
        yield
    except asyncio.CancelledError:
        db.announce(CHANNEL)
        raise
    db.announce(CHANNEL)
