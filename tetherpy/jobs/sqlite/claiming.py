"""Claim the jobs that come next; acknowledge and claim in one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from heapq import nsmallest
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
    return next(_places(connection, 1, offer), None) is not None


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
        places = nsmallest(read, _places(connection, read, offer))
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


def _places(connection: sqlite3.Connection, limit: int, offer: Offer) -> Iterator[Place]:
    """Yield the first jobs of each index that the offer reaches, each index in the order of claims."""
    names = [row[0] for row in connection.execute(sql("unhandled_keys"))]
    waiting = [name for name in names if offer.keys is None or name in offer.keys]
    if offer.queues is None:
        yield from _rows(connection, "ready", limit)
        for key in waiting:
            yield from _rows(connection, "unhandled", key, limit)
        return
    for queue in offer.queues:
        yield from _rows(connection, "ready_in_queue", queue, limit)
        for key in waiting:
            yield from _rows(connection, "unhandled_in_queue", key, queue, limit)


def _rows(connection: sqlite3.Connection, statement: str, *values: object) -> Iterator[Place]:
    return map(tuple, connection.execute(sql(statement), values).fetchall())


def _fail_unreadable(connection: sqlite3.Connection, error: Exception, now_text: str, token: FencingToken) -> None:
    finish(connection, BackgroundJobStatus.FAILED, None, f"{type(error).__name__}: {error}", now_text, token)
