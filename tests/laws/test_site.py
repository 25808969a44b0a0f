"""The documentation site is complete: its navigation names every page, links resolve, every facade has a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.laws.imports import modules

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
INTERNAL = {"tetherpy.cli", "tetherpy.generator", "tetherpy.ui.graph"}
"""Packages without a page: programs use the first two as commands, and the third through ``tetherpy graph``."""


def without_code(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def navigation(page: Path) -> list[Path]:
    """Return the pages that the toctrees of a page name, and those that are named below them."""
    found: list[Path] = []
    for tree in re.findall(r"^```\{toctree\}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
        for line in tree.splitlines():
            if line and not line.startswith(":"):
                child = page.parent / f"{line}.md"
                found += [child, *navigation(child)]
    return found


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub and the site give to a page's headings."""
    titles = re.findall(r"^#+ (.+)$", without_code(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_navigation_names_every_page_once() -> None:
    named = navigation(DOCS / "index.md")
    assert sorted([*named, DOCS / "index.md"]) == PAGES


@pytest.mark.parametrize("page", [*PAGES, *ROOT.glob("*.md")], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", without_code(page)):
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(target)
    assert not broken


def test_every_facade_has_a_page_of_its_docstrings() -> None:
    facades = {
        name
        for name, path in modules().items()
        if path.name == "__init__.py" and (name.count(".") < 2 or name.startswith("tetherpy.ui."))
    }
    public = {name for name in facades - INTERNAL if name.count(".") < 3}
    pages = {page.stem for page in (DOCS / "reference" / "api").glob("tetherpy*.md")}
    assert pages == public
    for name in public:
        assert f".. facade:: {name}\n" in (DOCS / "reference" / "api" / f"{name}.md").read_text()
