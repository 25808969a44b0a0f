"""Find the code blocks of the pages under docs/."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
FILE = re.compile(r"# ([\w/]+\.(?:py|yaml))\n")
"""The first line of a block that is a file."""

_BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks_of(page: Path) -> list[tuple[str, str]]:
    """Return the language and the text of each code block of a page."""
    return _BLOCK.findall(page.read_text())
