"""Claim the jobs that come next; acknowledge and claim in one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import TypeAlias

import attrs

from ..errors import UnreadableJobError
from ..model import Names
from ..outcomes import Ack, AckAndFetch, Claim
from ..status import BackgroundJobStatus
from ..storage.row_decoding import to_job
from ..storage.timestamps import to_text
from .acknowledging import FencingToken, acknowledge, finish
from .delayed_jobs import next_due, promote
from .statements import fetch_changed, sql

Place: TypeAlias = tuple[object, bytes, int, bytes]
"""Where a job stands in the order of claims (its negated priority, ``run_at``, its id), and its key."""

LOOKED_AT = 1000
"""Jobs read at once after some were met that this worker has no handler for."""
SET_ASIDE_AT_MOST = 10_000
"""Jobs without a handler that one claim sets aside, so that it does not hold the write lock for long."""


@attrs.frozen
class Offer:
    """The queues and job keys that a worker takes; None is all."""

    queues: Sequence[str] | None
    keys: frozenset[bytes] | None

    @classmethod
    def of(cls, queues: Names, keys: Names) -> Offer:
        """Return the offer for names that may repeat."""
        return cls(
            None if queues is None else tuple(dict.fromkeys(queues)),
            None if keys is None else frozenset(key.encode() for key in keys),
        )


def idle_ack_and_fetch(connection: sqlite3.Connection, now: datetime, offer: Offer) -> AckAndFetch | None:
    """Return the result of a fetch without acks if there is nothing to claim, else None; takes no write lock."""
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
    """Acknowledge first, so that a job released here can be claimed here too, then claim."""
    rejected = tuple(ack for ack in acks if not acknowledge(connection, ack, now))
    due = promote(connection, now)
    if slots <= 0:
        return AckAndFetch(rejected=rejected, next_due=due)
    claims, is_more = claim(connection, worker_id, slots, offer, now, lease)
    return AckAndFetch(tuple(claims), rejected, now if is_more else due)


def is_work_there(connection: sqlite3.Connection, offer: Offer) -> bool:
    """Look, without the write lock, whether a claim would find anything."""
    return bool(_first_places(connection, 1, offer))


def claim(
    connection: sqlite3.Connection,
    worker_id: str,
    slots: int,
    offer: Offer,
    now: datetime,
    lease: timedelta,
) -> tuple[list[Claim], bool]:
    """Claim up to ``slots`` jobs: higher priority first, then ``run_at``, then id, across queues.

    Jobs that the worker has no handler for are set aside. Tell too whether there may be more to claim although slots
    are free.
    """
    now_text = to_text(now)
    claims: list[Claim] = []
    set_aside, read = 0, slots
    while (wanted := slots - len(claims)) > 0:
        if set_aside >= SET_ASIDE_AT_MOST:
            return claims, True
        read = max(read, wanted)
        places = _first_places(connection, read, offer)
        others = [job_id for _, _, job_id, key in places if offer.keys is not None and key not in offer.keys]
        if others:
            connection.execute(sql("set_aside"), (json.dumps(others),))
            set_aside += len(others)
            read = LOOKED_AT
        known = set(others)
        ids = [place[2] for place in places if place[2] not in known][:wanted]
        if ids:
            claims += _claim_each(connection, worker_id, ids, now_text, to_text(now + lease))
        if not others and len(places) < wanted:
            break
        if not places:
            break
    # RETURNING promises no order (sqlite.org/lang_returning.html).
    claims.sort(key=lambda claim: (-claim.job.priority, claim.job.run_at, claim.id))
    return claims, False


def _claim_each(
    connection: sqlite3.Connection, worker_id: str, ids: list[int], now_text: str, lease_end: str
) -> Iterator[Claim]:
    values = (worker_id, lease_end, now_text, now_text, json.dumps(ids))
    for row in fetch_changed(connection, sql("claim"), values):
        try:
            yield Claim(to_job(row[1:]), fencing_token=row[0])
        except UnreadableJobError as error:
            _fail_unreadable(connection, error, now_text, (row[1], worker_id, row[0]))


def _first_places(connection: sqlite3.Connection, limit: int, offer: Offer) -> list[Place]:
    """Return the first jobs of the offer, in the order of claims; rows of an index are read only as they are needed."""
    names = [row[0] for row in connection.execute(sql("unhandled_keys"))]
    waiting = [name for name in names if offer.keys is None or name in offer.keys]
    sources: list[tuple[object, ...]]
    if offer.queues is None:
        sources = [("ready",), *(("unhandled", key) for key in waiting)]
    else:
        queues = _first_queues(connection, offer.queues, limit, "first_queues")
        sources = [("ready_in_queue", queue) for queue in queues]
        for key in waiting:
            queues = _first_queues(connection, offer.queues, limit, "first_queues_unhandled", key)
            sources += [("unhandled_in_queue", key, queue) for queue in queues]
    cursors = [connection.execute(sql(str(name)), (*values, limit)) for name, *values in sources]
    try:
        return list(islice(merge(*(map(tuple, cursor) for cursor in cursors)), limit))
    finally:
        for cursor in cursors:
            cursor.close()


def _first_queues(
    connection: sqlite3.Connection, queues: Sequence[str], limit: int, statement: str, *values: object
) -> Sequence[str]:
    """Return the queues whose first jobs come first: the first ``limit`` jobs are in ``limit`` of them at most."""
    if len(queues) <= limit:
        return queues
    positions: list[int] = [
        row[0] for row in connection.execute(sql(statement), (json.dumps(queues), *values, limit)).fetchall()
    ]
    return [queues[position] for position in positions]


def _fail_unreadable(connection: sqlite3.Connection, error: Exception, now_text: str, token: FencingToken) -> None:
    finish(connection, BackgroundJobStatus.FAILED, None, f"{type(error).__name__}: {error}", now_text, token)
