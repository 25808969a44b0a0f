"""Output formats: a table on a terminal, lines in a pipe, or JSON.

On a terminal: tables and colours (``NO_COLOR`` is respected). In a pipe or file: one line per row, columns separated by
tabs, nothing truncated, no heading; control characters are escaped, so a row is always one line. With ``--json``: the
documents of the command-line reference.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import Enum, auto
from typing import TypeVar

from .columns import Document, View
from .standard_streams import writing
from .terminal_text import harmless, harmless_json

T = TypeVar("T")


class Form(Enum):
    """The output format."""

    TABLE = auto()
    LINES = auto()
    JSON = auto()


def form_of(json: bool) -> Form:
    """Return JSON if requested, else the format that fits stdout."""
    if json:
        return Form.JSON
    return Form.TABLE if is_terminal() else Form.LINES


def is_terminal() -> bool:
    """Whether stdout is a terminal."""
    return sys.stdout.isatty()


def print_all(form: Form, view: View[T], rows: Iterable[T]) -> None:
    """Print several objects: a table, a line each, or one JSON array."""
    match form:
        case Form.TABLE:
            from .tables import print_table

            print_table(view, rows)
        case Form.LINES:
            for row in rows:
                emit(view.line(row))
        case Form.JSON:
            separator = "[\n"
            for row in rows:
                emit(f"{separator}{to_json(view.document(row))}", end="")
                separator = ",\n"
            emit("[]" if separator == "[\n" else "\n]")


def print_one(form: Form, view: View[T], row: T) -> None:
    """Print one object: a name and its value per line, or one JSON object."""
    match form:
        case Form.TABLE:
            from .tables import print_card

            print_card(view, row)
        case Form.LINES:
            for column in view.columns:
                emit(f"{column.name}\t{harmless(column.exact(row))}")
        case Form.JSON:
            emit(to_json(view.document(row)))


def print_row(form: Form, view: View[T], row: T) -> None:
    """Print one object of a stream immediately: a line, or a JSON object on a line."""
    if form is Form.TABLE:
        print_all(form, view, [row])
    else:
        emit(to_json(view.document(row)) if form is Form.JSON else view.line(row), flush=True)


def emit(text: str, *, end: str = "\n", flush: bool = False) -> None:
    """Write to stdout; raises ``ReaderGoneError`` for a closed pipe."""
    with writing():
        print(text, end=end, flush=flush)  # noqa: T201


def remark(text: str) -> None:
    """Print a remark to stderr if it is a terminal."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr)  # noqa: T201


def tell_next(lines: Iterable[str]) -> None:
    """Print the next commands to stderr."""
    print("\n".join(["\nNext:", *(f"    {line}" for line in lines)]), file=sys.stderr)  # noqa: T201


def to_json(document: Document) -> str:
    """Return a document as one line of JSON, with control characters escaped."""
    import json

    ascii_only = "utf" not in (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
    return harmless_json(json.dumps(document, ensure_ascii=ascii_only, allow_nan=False))
