"""A file fits in a head, and a folder on a screen."""

from __future__ import annotations

from collections.abc import Mapping

from tests.laws.imports import LIBRARY, ROOT

MOST_LINES = 400
MOST_MODULES = 15
"""At a folder's own level, without its facade."""
LONG_FILES: Mapping[str, int] = {
    "tetherpy/reactive/asynchronous/async_flow.py": 403,
    "tetherpy/reactive/asynchronous/sources.py": 488,
    "tetherpy/reactive/container/ref.py": 409,
    "tetherpy/reactive/graph/propagation.py": 562,
    "tetherpy/reactive/lifecycle/teardown.py": 424,
}
"""Files that are longer today, with their size: they may only shrink, and leave when they fit."""
FULL_FOLDERS: Mapping[str, int] = {}
"""Folders with more modules today, with their number: it may only shrink."""


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    sizes = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in LIBRARY.rglob("*.py")}
    long = {name: size for name, size in sizes.items() if size > MOST_LINES}
    assert {name: size for name, size in long.items() if size > LONG_FILES.get(name, 0)} == {}
    assert set(LONG_FILES) <= set(long), "remove the files that are short enough from LONG_FILES"


def test_no_folder_has_more_modules_than_a_reader_can_scan() -> None:
    folders = {
        str(folder.relative_to(ROOT)): len([path for path in folder.glob("*.py") if path.name != "__init__.py"])
        for folder in [LIBRARY, *LIBRARY.rglob("*/")]
        if folder.name != "__pycache__"
    }
    full = {name: number for name, number in folders.items() if number > MOST_MODULES}
    assert {name: number for name, number in full.items() if number > FULL_FOLDERS.get(name, 0)} == {}
    assert set(FULL_FOLDERS) <= set(full), "remove the folders that are small enough from FULL_FOLDERS"
