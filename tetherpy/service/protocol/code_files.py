"""The source files of the app in a worker, and which of them have changed since."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

MOST_FILES = 1_000
"""Maximum number of files that are compared, so that the list fits into a frame."""
MOST_NAMES = 10
"""Maximum number of changed files that a status names."""
_INSTALLED = ("stdlib", "platstdlib", "purelib", "platlib")
_OTHERS = tuple(
    os.path.join(folder, "") for folder in (*map(sysconfig.get_path, _INSTALLED), str(Path(__file__).parents[2]))
)


_imported: dict[str, float] = {}


def record_imports() -> None:
    """Record the times of source files when they are imported, from now on: a file may change during a long import."""
    original = SourceFileLoader.path_stats

    def path_stats(self: SourceFileLoader, path: str) -> Mapping[str, Any]:
        stats = original(self, path)
        _imported[os.path.abspath(path)] = stats["mtime"]
        return stats

    SourceFileLoader.path_stats = path_stats  # type: ignore[method-assign]


def code_files() -> dict[str, float]:
    """Return the modification times of the imported modules of the app, by path.

    Modules of the standard library, of installed packages and of tetherpy are left out.
    """
    files: dict[str, float] = {}
    for module in tuple(sys.modules.values()):
        name = getattr(module, "__file__", None)
        if not isinstance(name, str) or not name.endswith(".py"):
            continue
        path = os.path.abspath(name)
        if not path.startswith(_OTHERS) and (modified := _modified(path)) is not None:
            files[path] = _imported.get(path, modified)
        if len(files) == MOST_FILES:
            break
    return files


def changed_files(loaded: Iterable[Mapping[str, float]]) -> tuple[str, ...]:
    """Return the files whose modification time is not that of when they were loaded, sorted, at most ``MOST_NAMES``.

    A deleted file counts as unchanged: an editor replaces a file by deleting it first.
    """
    now: dict[str, float | None] = {}
    changed: set[str] = set()
    for files in loaded:
        for path, modified in files.items():
            if path not in now:
                now[path] = _modified(path)
            if now[path] not in (None, modified):
                changed.add(path)
    return tuple(sorted(changed)[:MOST_NAMES])


def times_of(paths: Iterable[str]) -> dict[str, float]:
    """Return the modification times of the files that exist."""
    return {path: modified for path in paths if (modified := _modified(path)) is not None}


def _modified(path: str) -> float | None:
    try:
        return os.stat(path).st_mtime
    except (OSError, ValueError):
        return None
