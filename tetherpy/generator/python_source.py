"""Helpers that render Python source in the style of formatters with lines of 88 characters or more."""

from __future__ import annotations

from collections.abc import Sequence

SHORTEST_LINE = 88


def literal(text: str) -> str:
    """Return a string literal, in the quotes that need fewer escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    body = repr(f"{text}'\"")[1:-4]  # with both kinds of quotes repr uses and escapes single ones
    body = body.replace("\\'", "'")
    return quote + body.replace(quote, f"\\{quote}") + quote


def call(before: str, arguments: Sequence[str]) -> str:
    """Return an indented call: on one line if it is short, else with one argument per line.

    The trailing comma keeps formatters with longer lines from joining them.
    """
    one = f"{before}({', '.join(arguments)})"
    if len(one) <= SHORTEST_LINE and one.isascii():  # formatters count some non-ASCII characters twice
        return one
    indent = " " * (len(before) - len(before.lstrip()))
    return "\n".join([f"{before}(", *(f"{indent}    {argument}," for argument in arguments), f"{indent})"])
