"""Prose uses plain technical English: phrases that stop a reader stay rare."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_PER_THOUSAND = 1.5
PHRASES = re.compile(
    r"""
    (?:^|[.,;:(]\s|\b(?:of|to|by|for|from|with|and|or|that|than|after|as|is|are|on|in|Keep|Return|Say|Show|Give)\s)
        (?:what|whatever|whoever|who)\b(?!\s(?:happens|if|to|it))  # a relative clause in the place of a noun
    | \b(?:any\smore|nobody|anew|beside|meanwhile|at\slength)\b
    | \b(?:is|are|was)\s(?:no|none|told)\b | \b(?:is|are|has)\sto\sbe\b | \bhears?\sof\b
    | \bof\s(?:its|their|our|your|his|another's|others')\sown\b
    | \b(?:goes|go)\son\b | \bcomes?\sto\b
    """,
    re.MULTILINE | re.VERBOSE,
)


def prose(page: Path) -> str:
    """Return the text of a page outside code blocks and tables."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("|"))


@pytest.mark.parametrize("folder", ["docs", "."], ids=["docs", "README and others"])
def test_pages_read_like_technical_documentation(folder: str) -> None:
    pages = (ROOT / folder).rglob("*.md") if folder == "docs" else ROOT.glob("*.md")
    texts = {page: prose(page) for page in pages}
    hits = [
        f"{page.relative_to(ROOT)}: {hit[0].strip()!r}"
        for page, text in texts.items()
        for hit in PHRASES.finditer(text)
    ]
    words = sum(len(re.findall(r"[A-Za-z']+", text)) for text in texts.values())
    assert 1000 * len(hits) / words <= MOST_PER_THOUSAND, "\n".join(hits)
