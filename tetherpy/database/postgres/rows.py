"""Rows whose values are read by name, by index or by iteration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from psycopg import AsyncCursor


class PostgresRow(tuple[Any, ...]):
    """A row: ``row["name"]``, ``row[0]``, ``tuple(row)``, ``dict(zip(row.keys(), row))``."""

    columns: tuple[str, ...]

    def __getitem__(self, key: Any) -> Any:
        """Return the value of a column, given by name or index; raises ``IndexError`` without one."""
        if isinstance(key, str):
            try:
                key = self.columns.index(key)
            except ValueError as error:
                raise IndexError(f"the row has no column {key!r}; it has {', '.join(self.columns)}") from error
        return super().__getitem__(key)

    def keys(self) -> list[str]:
        """Return the names of the columns."""
        return list(self.columns)


def row_factory(cursor: AsyncCursor[Any]) -> Callable[[Sequence[Any]], PostgresRow]:
    """Return the function that makes rows of the values that a cursor fetches."""
    columns = tuple(column.name for column in cursor.description or ())

    def make(values: Sequence[Any]) -> PostgresRow:
        row = PostgresRow(values)
        row.columns = columns
        return row

    return make
