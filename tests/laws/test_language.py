"""Prose uses plain technical English: phrases that stop a reader stay rare in pages, code and test names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.laws.imports import ROOT, nodes_of

MOST_PER_THOUSAND = 1.0
PHRASES = re.compile(
    r"""
    (?:^|[.,;:(]\s|\b(?:of|to|by|for|from|with|and|or|that|than|after|as|is|are|on|in|Keep|Return|Say|Show|Give)\s)
        (?:what|whatever|whoever|who)\b(?!\s(?:happens|if|to|it))  # a relative clause in the place of a noun
    | \b(?:any\smore|nobody|anew|beside|meanwhile|at\slength|handed\sback|hands?\sback|let\sgo|lets\sgo)\b
    | \b(?:is|are|was)\s(?:no|none|told)\b | \b(?:is|are|has)\sto\sbe\b | \bhears?\sof\b
    | \bof\s(?:its|their|our|your|his|another's|others')\sown\b
    | \b(?:goes|go)\son\b | \bcomes?\sto\b
    """,
    re.MULTILINE | re.VERBOSE,
)
STRING_OR_COMMENT = re.compile(
    r"""
    \"{3}(?:[^\"\\]|\\.|\"(?!\"\"))*\"{3} | '{3}(?:[^'\\]|\\.|'(?!''))*'{3}
    | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | \#[^\n]*
    """,
    re.DOTALL | re.VERBOSE,
)
"""Python's tokenizer takes ten times as long."""
PLACES = {
    "tetherpy": ["tetherpy/**/*.py"],
    "docs": ["docs/**/*.md"],
    "README and others": ["*.md"],
    "tests": ["tests/**/*.py", "tests/**/*.md"],
}


def page_texts(path: Path) -> Iterator[str]:
    """Yield the text of a page outside code blocks and tables."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    yield "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("|"))


def module_texts(path: Path) -> Iterator[str]:
    """Yield the docstrings and comments of a module, and its test names as words."""
    source = path.read_text()
    for node in nodes_of(path):
        match node:
            case ast.Module() | ast.ClassDef():
                yield ast.get_docstring(node) or ""
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield ast.get_docstring(node) or ""
                if node.name.startswith("test_"):
                    yield node.name.removeprefix("test_").replace("_", " ")
            case ast.Expr(ast.Constant(str(text))):  # a string below an attribute documents it
                yield text
            case _:
                pass
    for token in STRING_OR_COMMENT.finditer(source):
        if token[0].startswith("#"):
            yield token[0].lstrip("# ")


@pytest.mark.parametrize("place", PLACES)
def test_prose_reads_like_technical_documentation(place: str) -> None:
    hits: list[str] = []
    words = 0
    for path in sorted(path for pattern in PLACES[place] for path in ROOT.glob(pattern)):
        for text in page_texts(path) if path.suffix == ".md" else module_texts(path):
            words += len(re.findall(r"[A-Za-z']+", text))
            hits += [f"{path.relative_to(ROOT)}: {hit[0].strip()!r}" for hit in PHRASES.finditer(text)]
    assert 1000 * len(hits) / words <= MOST_PER_THOUSAND, "\n".join(hits)
