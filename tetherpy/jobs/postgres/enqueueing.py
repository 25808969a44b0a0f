"""Store new jobs, and one job per tick of a periodic job."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import psycopg
from psycopg.rows import tuple_row

from tetherpy.database import JoinedPostgres, PostgresDatabase

from ..capabilities import EngineCapabilities
from ..definitions.enqueued import Stored
from ..model import NewJob
from .calls.requests import repeat
from .encoding import encode, new_job
from .statements import sql

NewRow: TypeAlias = dict[str, Any]
Statement: TypeAlias = tuple[bytes, dict[str, Any]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
ROWS_AT_ONCE = 1000
"""Jobs per statement in bulk, so that neither side holds the text of all of them at once."""


def to_row(job: NewJob[Any], now: datetime, max_bytes: int, capabilities: EngineCapabilities) -> NewRow:
    """Encode a job; raises as ``payload.encode`` does, and ``EngineLimitError`` if it exceeds a limit of the engine."""
    capabilities.check(job)
    return new_job(job, now, max_bytes)


def statements(rows: Sequence[NewRow], now: datetime, notify: str) -> list[Statement]:
    """Return the statements that store rows and return ``Stored`` for each in order.

    ``notify`` is the value of ``tetherpy.notify`` for the transaction.
    """
    return [
        (sql("enqueue"), {"jobs": encode(rows[start : start + ROWS_AT_ONCE]), "now": now, "notify": notify})
        for start in range(0, len(rows), ROWS_AT_ONCE)
    ]


async def insert(connection: psycopg.AsyncConnection[Any], steps: Sequence[Statement]) -> list[Stored]:
    """Execute the statements in the connection's transaction and return their rows."""
    stored: list[Stored] = []
    async with connection.cursor(row_factory=tuple_row) as cursor:
        for statement, values in steps:
            await cursor.execute(statement, values)
            stored += await cursor.fetchall()
    return stored


async def insert_joined(joined: JoinedPostgres, steps: Sequence[Statement]) -> list[Stored]:
    """Execute the statements in a transaction of the app and return their rows."""
    return [row for statement, values in steps for row in await joined.fetch(statement, values)]


async def enqueue_tick(db: PostgresDatabase, name: str, tick: datetime, row: NewRow, now: datetime) -> int | None:
    """Store the job of one tick; None if any worker already did."""
    values = {"name": name, "tick": (tick - _EPOCH) // _MICROSECOND, "job": encode(row), "now": now}
    ((job_id,),) = await repeat(db, sql("enqueue_tick"), values)
    return None if job_id is None else int(job_id)


async def newest_tick(db: PostgresDatabase, name: str, first: datetime) -> datetime:
    """Return the newest enqueued tick of a periodic job; record ``first`` if there is none."""
    values = {"name": name, "first": (first - _EPOCH) // _MICROSECOND}
    ((newest,),) = await repeat(db, sql("newest_tick"), values)
    return _EPOCH + int(newest) * _MICROSECOND
