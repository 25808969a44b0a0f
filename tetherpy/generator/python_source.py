"""Pieces of Python, written as formatters do whose lines have 88 characters or more."""

from __future__ import annotations

from collections.abc import Sequence

SHORTEST_LINE = 88


def literal(text: str) -> str:
    """Write a text, quoted with the quotes that need fewer escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    body = repr(f"{text}'\"")[1:-4]  # both kinds are in it, so repr uses single quotes and escapes those
    body = body.replace("\\'", "'")
    return quote + body.replace(quote, f"\\{quote}") + quote


def call(before: str, arguments: Sequence[str]) -> str:
    """Write an indented call: on one line if that is short, else with a line for each argument.

    The comma behind the last argument keeps formatters with longer lines from joining them.
    """
    one = f"{before}({', '.join(arguments)})"
    if len(one) <= SHORTEST_LINE and one.isascii():  # formatters count some other characters twice
        return one
    indent = " " * (len(before) - len(before.lstrip()))
    return "\n".join([f"{before}(", *(f"{indent}    {argument}," for argument in arguments), f"{indent})"])
