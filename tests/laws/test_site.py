"""The documentation site is complete: its navigation names every page, links resolve, every facade has a page."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Parser, roles
from docutils.utils import new_document

from tests.laws.imports import modules

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
API = DOCS / "reference" / "api"
PAGES = sorted(DOCS.rglob("*.md"))
INTERNAL = {"tetherpy.cli", "tetherpy.generator", "tetherpy.json_codec", "tetherpy.ui.graph"}
"""Packages without a page: commands, the codec that jobs and persistence share, and what ``tetherpy graph`` shows."""

SECTION = re.compile(r"^(?:Args|Attributes|Raises|Returns):$", re.MULTILINE)
WARNING = 2


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


def public_packages() -> set[str]:
    named = {name for name, path in modules().items() if path.name == "__init__.py"}
    return {name for name in named if name.count(".") < (3 if name.startswith("tetherpy.ui.") else 2)} - INTERNAL


def test_every_public_package_has_an_api_page() -> None:
    for name in public_packages():
        page = API / f"{name}.md"
        remedy = f"copy another page to {page.relative_to(ROOT)}, and name it in index.md"
        assert page.exists(), remedy
        assert f".. facade:: {name}\n" in page.read_text(), remedy
    assert {page.stem for page in API.glob("tetherpy*.md")} == public_packages()


def docstrings(value: object) -> Iterator[tuple[str, str]]:
    """Yield the docstrings of an exported object and of its public members, with their names."""
    if inspect.isclass(value) and value.__module__.startswith("tetherpy"):
        members = [(name, member) for name, member in vars(value).items() if not name.startswith("_")]
        yield value.__name__, value.__doc__ or ""
        for name, member in members:
            if isinstance(member, property | classmethod | staticmethod) or inspect.isroutine(member):
                yield f"{value.__name__}.{name}", member.__doc__ or ""
    elif inspect.isroutine(value):
        yield value.__name__, value.__doc__ or ""


@pytest.mark.parametrize("package", sorted(public_packages()))
def test_docstrings_are_restructured_text(package: str) -> None:
    for role in ("class", "func", "meth", "mod", "attr"):
        roles.register_generic_role(role, nodes.literal)
    settings = get_default_settings(Parser)
    settings.report_level = settings.halt_level = 5
    module = import_module(package)
    broken = []
    for exported in module.__all__:
        for name, text in docstrings(getattr(module, exported)):
            document = new_document(name, settings)
            Parser().parse(SECTION.split(inspect.cleandoc(text))[0], document)
            messages = document.findall(nodes.system_message)
            broken += [message.astext() for message in messages if message["level"] >= WARNING]
    assert not broken


def test_files_that_the_recipes_name_exist() -> None:
    """A name may leave out the first folders: ``sql/schema/tables.sql`` of either engine."""
    named = set(re.findall(r"`([\w./-]+\.(?:py|sql|md|html|txt|toml|yaml))`", (ROOT / "CONTRIBUTING.md").read_text()))
    paths = [
        *ROOT.glob("*.*"),
        *(path for name in ("docs", "tests", "tetherpy") for path in (ROOT / name).rglob("*.*")),
    ]
    files = [f"/{path.relative_to(ROOT)}" for path in paths]
    assert named
    assert [name for name in sorted(named) if not any(file.endswith(f"/{name}") for file in files)] == []
