"""What is written of a thing: its columns, and its JSON document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from .terminal_text import harmless

T = TypeVar("T")

Document: TypeAlias = Mapping[str, Any]
"""What ``json.dumps`` takes."""


@attrs.frozen
class Column(Generic[T]):
    """One column: ``exact`` is what a pipe gets, ``shown`` what people see (the same if None); style is rich's."""

    name: str
    exact: Callable[[T], str]
    shown: Callable[[T], str] | None = None
    style: Callable[[T], str] | None = None

    def cell(self, row: T) -> str:
        """Return what people see."""
        return harmless(self.exact(row) if self.shown is None else self.shown(row))


@attrs.frozen
class View(Generic[T]):
    """How one kind of thing is written in each form."""

    columns: tuple[Column[T], ...]
    document: Callable[[T], Document]

    def line(self, row: T) -> str:
        """Return the row as a pipe gets it."""
        return "\t".join(harmless(column.exact(row)) for column in self.columns)
