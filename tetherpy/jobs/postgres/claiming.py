"""Claim the jobs that come next; acknowledge and claim in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from tetherpy.database import PostgresDatabase

from ..errors import UnreadableJobError
from ..model import Names
from ..outcomes import Ack, AckAndFetch, Claim, Failed, Released
from ..storage.columns import COLUMNS
from ..storage.row_decoding import to_job
from ..transitions import end_of
from . import encoding
from .calls.notifying import CHANNEL, LATER, announcing
from .calls.requests import repeat, report
from .held_claims import HeldClaims
from .statements import sql

_ATTEMPTS = 5 + COLUMNS.index("attempts")
logger = logging.getLogger("tetherpy.jobs")


async def ack_and_fetch(
    db: PostgresDatabase,
    held: HeldClaims,
    worker_id: str,
    acks: Sequence[Ack],
    slots: int,
    queues: Names,
    keys: Names,
    now: datetime,
    lease: timedelta,
) -> AckAndFetch:
    """Acknowledge first, so that a job released here can be claimed here too, then claim; one round trip."""
    values = {
        "worker": worker_id,
        "acks": encoding.encode([encoding.ack(given) for given in acks]) if acks else None,
        "known": held.to_reconcile(worker_id),
        "release": encoding.encode(encoding.attempt_end(end_of(Released()))),
        "slots": slots,
        "queues": encoding.to_names(queues),
        "keys": encoding.to_names(keys),
        "now": now,
        "lease_end": now + lease,
    }
    try:
        rows = await report(db, sql("ack_and_fetch"), values)
    except BaseException:
        held.response_lost(worker_id)
        raise
    rejected: list[int]
    postponed: list[int]
    rejected, postponed, next_due, changed = rows[-1][:4]
    if changed:
        db.announce(CHANNEL)
    claims, unreadable = _read(worker_id, rows[:-1])
    acknowledged = [given for number, given in enumerate(acks) if number not in postponed]
    held.acknowledged_and_fetched(worker_id, acknowledged, claims)
    if unreadable:
        await _fail_unreadable(db, held, worker_id, unreadable, now)
    return AckAndFetch(
        claims=tuple(claims),
        rejected=tuple(acks[number] for number in rejected),
        next_due=next_due,
        postponed=tuple(acks[number] for number in postponed),
    )


def _read(worker_id: str, rows: Sequence[tuple[Any, ...]]) -> tuple[list[Claim], list[dict[str, Any]]]:
    """Return the claims of a fetch, and the acks that make FAILED those that cannot be read."""
    claims: list[Claim] = []
    unreadable: list[dict[str, Any]] = []
    for row in rows:
        try:
            claims.append(Claim(to_job(row[5:]), fencing_token=row[4]))
        except UnreadableJobError as error:
            claim = {"id": row[5], "worker": worker_id, "fencing_token": row[4], "attempt": row[_ATTEMPTS]}
            end = end_of(Failed(f"{type(error).__name__}: {error}"))
            unreadable.append({**claim, **encoding.attempt_end(end)})
    return claims, unreadable


async def _fail_unreadable(
    db: PostgresDatabase, held: HeldClaims, worker_id: str, unreadable: list[dict[str, Any]], now: datetime
) -> None:
    try:
        with announcing(db):
            await repeat(db, sql("acknowledge"), {"acks": encoding.encode(unreadable), "now": now, "notify": LATER})
    except Exception:
        # The claims that can be read must reach the worker. Its next fetch releases the others.
        held.response_lost(worker_id)
        logger.exception("%d jobs that cannot be read could not be made FAILED", len(unreadable))
