"""Cursors that read each value by itself: one that Python cannot hold does not take its whole result along."""

from __future__ import annotations

from typing import Any

import attrs
import psycopg
from psycopg.abc import Buffer
from psycopg.rows import TupleRow, tuple_row
from psycopg.types.datetime import TimestamptzLoader


@attrs.frozen
class UnreadableInstant:
    """Stand for an instant that Python has no datetime for, such as infinity or one after the year 9999."""

    text: str

    def __repr__(self) -> str:
        return self.text


class _InstantLoader(TimestamptzLoader):
    def load(self, data: Buffer) -> Any:
        try:
            return super().load(data)
        except psycopg.DataError:
            return UnreadableInstant(bytes(data).decode(errors="backslashreplace"))


def open_cursor(connection: psycopg.AsyncConnection[Any]) -> psycopg.AsyncCursor[TupleRow]:
    """Open a cursor that returns tuples, and an ``UnreadableInstant`` where it would raise ``DataError``."""
    cursor = connection.cursor(row_factory=tuple_row)
    cursor.adapters.register_loader("timestamptz", _InstantLoader)
    return cursor
