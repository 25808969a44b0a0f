"""The columns and the JSON document of an object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from .terminal_text import harmless

T = TypeVar("T")

Document: TypeAlias = Mapping[str, Any]
"""A value for ``json.dumps``."""


@attrs.frozen
class Column(Generic[T]):
    """One column: ``exact`` is its text in a pipe, ``shown`` on a terminal (the same if None), in a style of rich."""

    name: str
    exact: Callable[[T], str]
    shown: Callable[[T], str] | None = None
    style: Callable[[T], str] | None = None

    def cell(self, row: T) -> str:
        """Return the text for a terminal."""
        return harmless(self.exact(row) if self.shown is None else self.shown(row))


@attrs.frozen
class View(Generic[T]):
    """The columns and the JSON document of one type."""

    columns: tuple[Column[T], ...]
    document: Callable[[T], Document]

    def line(self, row: T) -> str:
        """Return the row for a pipe."""
        return "\t".join(harmless(column.exact(row)) for column in self.columns)
