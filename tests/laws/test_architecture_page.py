"""The layers drawn in ``docs/explanation/architecture.md`` are those of the tree: its packages, folders and files."""

from __future__ import annotations

import re

from tests.laws.imports import LIBRARY, ROOT
from tests.laws.test_layers import GROUND, MAY_IMPORT, TOP

TEXT = (ROOT / "docs" / "explanation" / "architecture.md").read_text()
PACKAGES = {path.parent.name for path in LIBRARY.glob("*/__init__.py")}
GROUND_FILES = {path.stem for path in LIBRARY.glob("*.py")} - {"__init__"}


def drawing() -> list[set[str]]:
    """Return the packages in each line of the drawing, from top to bottom."""
    block = re.search(r"## Layers\n+```text\n(.*?)```", TEXT, re.DOTALL)
    assert block
    lines = [set(re.findall(r"\b([a-z_]+)/ ", line)) for line in block[1].splitlines()]
    return [line for line in lines if line]


def named(suffix: str) -> set[str]:
    """Return the paths below ``tetherpy/`` that the page names, without those of other folders."""
    paths = set(re.findall(rf"`([a-z_]+/(?:[a-z_]+/)*{suffix})`", TEXT))
    return {path for path in paths if path.partition("/")[0] in PACKAGES}


def test_the_drawing_contains_every_package_once() -> None:
    drawn = [package for line in drawing() for package in line]
    assert sorted(drawn) == sorted(PACKAGES)


def test_a_package_is_drawn_above_its_imports() -> None:
    levels = {package: level for level, line in enumerate(drawing()) for package in line}
    for package in PACKAGES - set(TOP):
        for lower in MAY_IMPORT[package] & PACKAGES:
            assert levels[package] < levels[lower], f"{package} imports {lower}, which is drawn above it"
    assert set(TOP) == drawing()[0]


def test_the_page_names_every_folder_with_modules_and_no_others() -> None:
    tree = {f"{path.parent.relative_to(LIBRARY)}/" for path in LIBRARY.rglob("*.py") if path.parent != LIBRARY}
    nested = {folder for folder in tree if folder.count("/") > 1}
    assert sorted(nested - named("")) == [], "folders that the page does not name"
    assert [path for path in sorted(named("")) if not (LIBRARY / path).is_dir()] == [], "folders that do not exist"


def test_every_named_file_exists() -> None:
    assert [path for path in sorted(named(r"\w+\.py")) if not (LIBRARY / path).is_file()] == []


def test_the_lowest_layer_lists_the_files_of_the_package_itself() -> None:
    section = re.search(r"### Shared modules\n(.*?)\n###", TEXT, re.DOTALL)
    assert section
    listed = set(re.findall(r"^\| `(\w+)\.py`", section[1], re.MULTILINE))
    assert listed == GROUND_FILES
    assert set(GROUND) <= GROUND_FILES
