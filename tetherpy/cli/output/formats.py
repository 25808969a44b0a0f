"""The one place that decides how results are written: a table, lines, or JSON.

On a terminal: tables and colours, for people (``NO_COLOR`` is respected). Into a pipe or file: one line per
row, columns separated by tabs, nothing cut off, no heading; control characters are escaped, so a row is always
one line. With ``--json``: the documents that ``docs/reference/command-line.md`` describes.
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
    """How results are written."""

    TABLE = auto()
    LINES = auto()
    JSON = auto()


def form_of(json: bool) -> Form:
    """Return the form that fits where the output goes, unless JSON was asked for."""
    if json:
        return Form.JSON
    return Form.TABLE if is_terminal() else Form.LINES


def is_terminal() -> bool:
    """Tell whether a person reads what is printed."""
    return sys.stdout.isatty()


def print_all(form: Form, view: View[T], rows: Iterable[T]) -> None:
    """Print any number of things: a table, a line each, or one JSON array."""
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
    """Print one thing: a name and its value per line, for people aligned; or one JSON object."""
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
    """Print one thing as one row, at once: it may be one of a stream. A line, or a JSON object on a line."""
    if form is Form.TABLE:
        print_all(form, view, [row])
    else:
        emit(to_json(view.document(row)) if form is Form.JSON else view.line(row), flush=True)


def emit(text: str, *, end: str = "\n", flush: bool = False) -> None:
    """Write to stdout; a reader that is gone is a ``ReaderGoneError``."""
    with writing():
        print(text, end=end, flush=flush)  # noqa: T201


def remark(text: str) -> None:
    """Tell a person something beside the result, on stderr; nobody is told if stderr is no terminal."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr)  # noqa: T201


def tell_next(lines: Iterable[str]) -> None:
    """Tell what to type next, whoever reads: on stderr, since it is no result."""
    print("\n".join(["\nNext:", *(f"    {line}" for line in lines)]), file=sys.stderr)  # noqa: T201


def to_json(document: Document) -> str:
    """Write a document on one line; nothing in it can steer a terminal."""
    import json

    ascii_only = "utf" not in (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
    return harmless_json(json.dumps(document, ensure_ascii=ascii_only, allow_nan=False))
