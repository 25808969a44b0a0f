"""A file fits in a head, and a folder on a screen."""

from __future__ import annotations

from tests.laws.imports import LIBRARY, ROOT

MOST_LINES = 400
MOST_MODULES = 15
"""At a folder's own level, without its facade."""


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    sizes = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in LIBRARY.rglob("*.py")}
    assert {name: size for name, size in sizes.items() if size > MOST_LINES} == {}


def test_no_folder_has_more_modules_than_a_reader_can_scan() -> None:
    folders = {
        str(folder.relative_to(ROOT)): len([path for path in folder.glob("*.py") if path.name != "__init__.py"])
        for folder in [LIBRARY, *LIBRARY.rglob("*/")]
        if folder.name != "__pycache__"
    }
    assert {name: number for name, number in folders.items() if number > MOST_MODULES} == {}
