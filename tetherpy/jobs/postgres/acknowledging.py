"""Store how attempts ended, and their progress, each checked by its fencing token."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from tetherpy.database import DatabaseLockedError, JoinedPostgres, PostgresDatabase

from ..errors import ClaimLostError
from ..outcomes import Ack, Progress
from . import encoding
from .calls.notifying import CHANNEL, notify_of
from .calls.requests import repeat
from .statements import sql

LOCKED_SECONDS = 1.0
AGAIN_SECONDS = 0.1


async def acknowledge(joined: JoinedPostgres, ack: Ack, progress: Progress | None, now: datetime) -> None:
    """Acknowledge in the handler's transaction, or raise ``ClaimLostError``."""
    row = {**({} if progress is None else encoding.progress_values(progress)), **encoding.ack(ack)}
    values = {"acks": encoding.encode([row]), "now": now, "notify": notify_of(joined)}
    if await joined.fetch(sql("acknowledge"), values):
        claim = ack.claim
        raise ClaimLostError(claim.id, claim.worker_id, claim.attempt)


async def report_progress(
    db: PostgresDatabase, updates: Iterable[Progress], reporting: asyncio.Lock, clock: Callable[[], datetime]
) -> None:
    """Store progress; reports whose row another transaction has locked are stored last.

    ``reporting`` is held while a statement runs. Raises ``DatabaseLockedError`` if a row stays locked for a second.
    """
    left: list[dict[str, Any]] = encoding.progress(updates)
    deadline = asyncio.get_running_loop().time() + LOCKED_SECONDS
    while True:
        async with reporting:
            values = {"updates": encoding.encode(left), "now": clock()}
            ((locked, stored),) = await repeat(db, sql("report_progress"), values)
        if stored:
            db.announce(CHANNEL)
        left = [update for update in left if update["id"] in locked]
        if not left:
            return
        if asyncio.get_running_loop().time() >= deadline:
            raise DatabaseLockedError(db.name, LOCKED_SECONDS)
        await asyncio.sleep(AGAIN_SECONDS)
