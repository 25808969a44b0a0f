"""Delayed jobs: when the next one is due, and the promotion of due ones."""

from __future__ import annotations

import sqlite3
from datetime import datetime

import attrs

from ..storage.timestamps import from_text, to_text
from .statements import sql

PROMOTED_AT_ONCE = 10_000
UNREADABLE_AT_ONCE = 100


@attrs.frozen
class NextDue:
    """The ``run_at`` of the first delayed job, as text and as an instant.

    ``instant`` is None if another program stored text that is not an instant. Such a job counts as due: the worker that
    claims it makes it FAILED, and it no longer hides the jobs after it.
    """

    text: bytes
    instant: datetime | None

    def has_come(self, now: datetime) -> bool:
        """Tell whether the job is due."""
        return self.instant is None or self.instant <= now


def next_due(connection: sqlite3.Connection) -> NextDue | None:
    """Return the first delayed job; None only if no job is delayed."""
    (text,) = connection.execute(sql("next_due")).fetchone()
    if text is None:
        return None
    try:
        return NextDue(text, from_text(text.decode()))
    except (ValueError, OverflowError):
        return NextDue(text, None)


def promote(connection: sqlite3.Connection, now: datetime) -> datetime | None:
    """Make due jobs claimable; return when to check again, None if no job is delayed."""
    now_text = to_text(now).encode()
    for _ in range(UNREADABLE_AT_ONCE):
        due = next_due(connection)
        if due is None or not due.has_come(now):
            return None if due is None else due.instant
        upto = due.text if due.instant is None else max(due.text, now_text)
        if connection.execute(sql("promote"), (upto, PROMOTED_AT_ONCE)).rowcount == PROMOTED_AT_ONCE:
            return now
    return now
