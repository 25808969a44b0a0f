"""Put files in place: all of them, or none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory


def put_in_place(texts: Mapping[Path, str | None]) -> None:
    """Write files, missing folders included, and remove those whose text is None.

    All are on the disk before the first one is replaced, and each is replaced at once: whoever reads it has it as it
    was or as it will be. If one cannot be, those before it get back what they were, and the ``OSError`` is raised.
    """
    with ExitStack() as folders, ExitStack() as staging, ExitStack() as files:
        ready = [
            (path, text, Path(staging.enter_context(_folder_beside(path, folders)))) for path, text in texts.items()
        ]
        for path, text, stage in ready:
            if os.path.lexists(path):
                shutil.copy2(path, stage / "old", follow_symlinks=False)
            if text is not None:
                (stage / "new").write_text(text, encoding="utf-8", newline="\n")
        for path, text, stage in ready:
            files.callback(_restore, path, stage / "old")
            if text is None:
                path.unlink()
            else:
                os.replace(stage / "new", path)
        files.pop_all()
        folders.pop_all()


def _folder_beside(path: Path, folders: ExitStack) -> TemporaryDirectory[str]:
    """Return a folder on the same disk; those above it that are made for it are removed with ``folders``."""
    for folder in reversed(path.parents):
        if not folder.is_dir():
            folder.mkdir()
            folders.callback(folder.rmdir)
    try:
        return TemporaryDirectory(prefix=".tether-", dir=path.parent)
    except OSError as error:
        error.filename = str(path.parent)  # rather than a name that means nothing to anybody
        raise


def _restore(path: Path, old: Path) -> None:
    if os.path.lexists(old):
        os.replace(old, path)
    else:
        path.unlink(missing_ok=True)
