"""Messages are complete sentences, and refer only to files that users have."""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from tests.laws.imports import LIBRARY, ROOT, nodes_of
from tests.laws.test_errors_are_portable import EXAMPLES, KINDS, made

ENDS_LIKE_A_SENTENCE = {"reason", "why", "problem", "hint", "remedy", "error", "detail", "cause"}
"""Parameters that often hold a message of another library, with its own full stop."""
TEXTS_OF_OTHERS = {"reason", "problem", "error", "exception", "detail", "cause", "failure", "message", "last_error"}
TWO_FULL_STOPS = re.compile(r"(?<!\.)\.\.(?!\.|/)")
SOURCE_FILE = re.compile(r"\bdocs/|\btests/|\bexamples/|\w\.md\b")


@cache
def strings() -> list[tuple[str, str]]:
    """Return every text of the library's sources and templates, docstrings included, with its place."""
    texts = [
        (f"{path.relative_to(ROOT)}:{node.lineno}", node.value)
        for path in LIBRARY.rglob("*.py")
        for node in nodes_of(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    others = (path for kind in ("html", "js", "sql", "txt") for path in LIBRARY.rglob(f"*.{kind}"))
    return texts + [(str(path.relative_to(ROOT)), path.read_text()) for path in others]


def test_no_text_names_a_file_that_is_not_in_the_wheel() -> None:
    assert [f"{place}: {found[0]}" for place, text in strings() if (found := SOURCE_FILE.search(text))] == []


def test_no_text_ends_in_two_full_stops() -> None:
    endings = re.compile(r"(?<!\.)\.\.(?:\s|$)")
    assert [place for place, text in strings() if endings.search(text)] == []


def test_the_text_of_another_error_is_embedded_without_its_full_stop() -> None:
    """``f"{error}."`` ends in two full stops if the error's own text ends in one: ``clause`` removes it."""
    assert [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(value.value)}"
        for path in LIBRARY.rglob("*.py")
        for node in nodes_of(path)
        if isinstance(node, ast.JoinedStr)
        for value, following in pairwise(node.values)
        if isinstance(value, ast.FormattedValue)
        and isinstance(following, ast.Constant)
        and re.match(r"\.(?:\s|$)", str(following.value))
        and named(value.value) in TEXTS_OF_OTHERS
        and value.conversion != ord("r")
    ] == []


def named(value: ast.expr) -> str:
    """Return the name that an expression reads, calls with ``str`` or takes a part of."""
    match value:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=inner) | ast.Call(func=ast.Name(id="str"), args=[inner]):
            return named(inner)
        case _:
            return ""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_message_with_a_reason_ends_in_one_full_stop(kind: type[BaseException]) -> None:
    if kind.__name__ in EXAMPLES or kind.__init__ is Exception.__init__:
        arguments: dict[str, Any] = {}
    else:
        names = list(inspect.signature(kind.__init__).parameters)[1:]
        arguments = {name: "it is closed." for name in names if name in ENDS_LIKE_A_SENTENCE}
    message = str(made(kind, arguments))
    assert not TWO_FULL_STOPS.search(message), message
