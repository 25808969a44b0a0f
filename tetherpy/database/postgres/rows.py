"""Rows that are read by name, by index and by iteration, as SQLite's are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from psycopg import AsyncCursor


class PostgresRow(tuple[Any, ...]):
    """A row: ``row["name"]``, ``row[0]``, ``tuple(row)``, ``dict(zip(row.keys(), row))``."""

    columns: tuple[str, ...]

    def __getitem__(self, key: Any) -> Any:
        """Return a value by its column's name or number; ``IndexError`` if there is none."""
        if isinstance(key, str):
            try:
                key = self.columns.index(key)
            except ValueError as error:
                raise IndexError(f"the row has no column {key!r}; it has {', '.join(self.columns)}") from error
        return super().__getitem__(key)

    def keys(self) -> list[str]:
        """Return the columns' names."""
        return list(self.columns)


def row_factory(cursor: AsyncCursor[Any]) -> Callable[[Sequence[Any]], PostgresRow]:
    """Make rows of what a cursor fetches."""
    columns = tuple(column.name for column in cursor.description or ())

    def make(values: Sequence[Any]) -> PostgresRow:
        row = PostgresRow(values)
        row.columns = columns
        return row

    return make
