"""The first row of a query that must have one."""

from typing import TypeVar

from .errors import RowNotFoundError

R = TypeVar("R")


def required(row: R | None, sql: str) -> R:
    """Return a row of a query; raises ``RowNotFoundError`` if it is None."""
    if row is None:
        raise RowNotFoundError(sql)
    return row
