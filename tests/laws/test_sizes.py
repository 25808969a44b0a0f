"""Limits for the length of files and the number of modules in a folder."""

from __future__ import annotations

from tests.laws.imports import LIBRARY, ROOT

SOURCES = {".py", ".sql", ".css", ".js", ".html", ".txt"}
MOST_LINES = 400
MOST_MODULES = 15
"""At a folder's own level, without its facade."""


def test_no_file_exceeds_the_line_limit() -> None:
    sources = [path for path in LIBRARY.rglob("*.*") if path.suffix in SOURCES]
    assert {path.suffix for path in sources} == SOURCES
    sizes = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources}
    assert {name: size for name, size in sizes.items() if size > MOST_LINES} == {}


def test_no_folder_exceeds_the_module_limit() -> None:
    folders = {
        str(folder.relative_to(ROOT)): len([path for path in folder.glob("*.py") if path.name != "__init__.py"])
        for folder in [LIBRARY, *LIBRARY.rglob("*/")]
        if folder.name != "__pycache__"
    }
    assert {name: number for name, number in folders.items() if number > MOST_MODULES} == {}
