"""Store new jobs, and one job per tick of a periodic job."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import chain, groupby
from typing import Any, TypeAlias

from ..definitions.enqueued import Stored
from ..model import NewJob
from ..payload.encoding import encode
from ..storage.columns import OPTION_COLUMNS, option_values
from ..storage.timestamps import from_text, to_text
from .statements import sql

NewRow: TypeAlias = tuple[Any, ...]

_UNIQUE_KEY = OPTION_COLUMNS.index("unique_key") - len(OPTION_COLUMNS)
_REMEMBERED = timedelta(days=30)
_ROWS_AT_ONCE = 100
"""Rows per statement in bulk: starting a statement costs about as much as storing a row."""


def to_row(job: NewJob[Any], now: datetime, now_text: str, max_bytes: int) -> NewRow:
    """Encode a job as the parameters of the statement that stores it."""
    run_at = job.run_at if job.delay is None else now + job.delay
    return (
        job.job_key,
        encode(job.payload, max_bytes),
        now_text,
        now_text,
        now_text if run_at is None else to_text(run_at),
        run_at is None or run_at <= now,
        *option_values(job),
    )


def insert(connection: sqlite3.Connection, rows: Sequence[NewRow]) -> list[Stored]:
    """Store rows; return ``Stored`` for each in the same order, for a taken unique key with the id that has it."""
    stored: list[Stored] = []
    for unique, group in groupby(rows, _has_unique_key):
        if unique:
            stored += [_insert_unique(connection, row) for row in group]
        else:
            stored += [(number, True) for number in _insert_plain(connection, list(group))]
    return stored


def _has_unique_key(row: NewRow) -> bool:
    return row[_UNIQUE_KEY] is not None


def _insert_plain(connection: sqlite3.Connection, rows: Sequence[NewRow]) -> Sequence[int]:
    whole = len(rows) - len(rows) % _ROWS_AT_ONCE
    for start in range(0, whole, _ROWS_AT_ONCE):
        chunk = rows[start : start + _ROWS_AT_ONCE]
        connection.execute(_many_rows(), tuple(chain.from_iterable(chunk)))
    connection.cursor().executemany(sql("enqueue"), rows[whole:])
    # AUTOINCREMENT counts up by one inside a transaction, which no other connection writes into.
    (last,) = connection.execute("SELECT last_insert_rowid()").fetchone()
    return range(last - len(rows) + 1, last + 1)


@cache
def _many_rows() -> str:
    head, values, row = sql("enqueue").partition("VALUES")
    return head + values + ",".join([row] * _ROWS_AT_ONCE)


def _insert_unique(connection: sqlite3.Connection, row: NewRow) -> Stored:
    new = connection.execute(sql("enqueue_unique"), row).fetchall()
    found = new or connection.execute(sql("active_by_unique_key"), (row[_UNIQUE_KEY],)).fetchall()
    return found[0][0], bool(new)


def enqueue_tick(connection: sqlite3.Connection, name: str, tick: datetime, row: NewRow) -> int | None:
    """Store the job of a tick unless another worker has; ticks older than 30 days are forgotten."""
    tick_text = to_text(tick)
    if connection.execute(sql("record_tick"), (name, tick_text)).rowcount == 0:
        return None
    ((stored_id, _),) = insert(connection, [row])
    job_id: int = stored_id
    connection.execute(sql("name_tick_job"), (job_id, name, tick_text))
    connection.execute(sql("forget_ticks"), (name, to_text(tick - _REMEMBERED)))
    return job_id


def newest_tick(connection: sqlite3.Connection, name: str, first: datetime) -> datetime:
    """Return the newest stored tick; store ``first``, without a job, if there is no tick."""
    (newest,) = connection.execute(sql("newest_tick"), (name,)).fetchone()
    if newest is not None:
        return from_text(newest)
    connection.execute(sql("record_tick"), (name, to_text(first)))
    return first
