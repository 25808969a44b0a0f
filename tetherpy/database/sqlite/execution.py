"""Execution of statements on the thread of a connection."""

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from .connection import Parameters, Row, TrackedConnection


@attrs.frozen
class Executed:
    """The result of a statement."""

    #: Rows of a ``RETURNING`` clause (or of a query).
    rows: list[Row]
    #: Rows inserted, updated or deleted; -1 for a statement that does none of these.
    rowcount: int
    #: The ``rowid`` of the last row that this connection inserted, or None.
    lastrowid: int | None


def execute(connection: sqlite3.Connection, sql: str, parameters: Parameters) -> Executed:
    """Execute one statement and fetch all its rows."""
    cursor = connection.execute(sql, parameters)
    rows = cursor.fetchall()
    return Executed(rows, cursor.rowcount, cursor.lastrowid)


def execute_many(connection: sqlite3.Connection, sql: str, parameters: Iterable[Parameters]) -> int:
    """Execute one statement for each set of parameters; return how many rows changed."""
    return connection.executemany(sql, parameters).rowcount


def fetch_all(connection: sqlite3.Connection, sql: str, parameters: Parameters) -> list[Row]:
    """Return all rows."""
    rows: list[Row] = connection.execute(sql, parameters).fetchall()
    return rows


def fetch_first(connection: sqlite3.Connection, sql: str, parameters: Parameters) -> Row | None:
    """Return the first row or None, and close the cursor: a half-read statement keeps its snapshot open."""
    cursor = connection.execute(sql, parameters)
    try:
        row: Row | None = cursor.fetchone()
    finally:
        cursor.close()
    return row


def in_snapshot(connection: TrackedConnection, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Run a function whose queries all see the same snapshot."""
    with connection.snapshot(), connection.guard():
        return function(connection, *args)
