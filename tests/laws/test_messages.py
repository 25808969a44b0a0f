"""Messages are complete sentences, and refer only to files that users have."""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache
from typing import Any

import pytest

from tests.laws.imports import LIBRARY, ROOT, nodes_of
from tests.laws.test_errors_are_portable import EXAMPLES, KINDS, made

ENDS_LIKE_A_SENTENCE = {"reason", "why", "problem", "hint", "remedy", "error", "detail", "cause"}
"""Parameters that often hold a message of another library, with its own full stop."""
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


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_message_with_a_reason_ends_in_one_full_stop(kind: type[BaseException]) -> None:
    if kind.__name__ in EXAMPLES or kind.__init__ is Exception.__init__:
        arguments: dict[str, Any] = {}
    else:
        names = list(inspect.signature(kind.__init__).parameters)[1:]
        arguments = {name: "it is closed." for name in names if name in ENDS_LIKE_A_SENTENCE}
    message = str(made(kind, arguments))
    assert not TWO_FULL_STOPS.search(message), message
