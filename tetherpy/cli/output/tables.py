"""Tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .columns import Column, View

T = TypeVar("T")


def print_table(view: View[T], rows: Iterable[T]) -> None:
    """Print a heading and a line per row; the last column gets the remaining width."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=True)
    *others, last = view.columns
    for column in others:
        table.add_column(column.name, no_wrap=True, overflow="ellipsis")
    table.add_column(last.name, no_wrap=True, overflow="ellipsis", ratio=1)
    for row in rows:
        table.add_row(*(_cell(column, row) for column in view.columns))
    Console().print(table)


def print_card(view: View[T], row: T) -> None:
    """Print a line per non-empty column: its name and its full value."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for column in view.columns:
        if cell := _cell(column, row):
            table.add_row(column.name, cell)
    Console().print(table)


def _cell(column: Column[T], row: T) -> Text:
    # A Text: rich would interpret square brackets in a string as markup.
    return Text(column.cell(row), style="" if column.style is None else column.style(row))
