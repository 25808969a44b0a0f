"""Replace files: all of them, or none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory


def replace_files(texts: Mapping[Path, str | None]) -> None:
    """Write files, including missing folders, and remove those whose text is None.

    All new files are on disk before the first is replaced. Each replacement is atomic: readers see the old or the new
    file. If one fails, the earlier ones are restored, and the ``OSError`` is raised.
    """
    with ExitStack() as folders, ExitStack() as staging, ExitStack() as files:
        ready = [
            (path, text, Path(staging.enter_context(_staging_folder(path, folders)))) for path, text in texts.items()
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


def _staging_folder(path: Path, folders: ExitStack) -> TemporaryDirectory[str]:
    """Return a temporary folder on the same disk; ``folders`` removes the parent folders created for it."""
    for folder in reversed(path.parents):
        if not folder.is_dir():
            folder.mkdir()
            folders.callback(folder.rmdir)
    try:
        return TemporaryDirectory(prefix=".tether-", dir=path.parent)
    except OSError as error:
        error.filename = str(path.parent)  # rather than the name of the temporary folder
        raise


def _restore(path: Path, old: Path) -> None:
    if os.path.lexists(old):
        os.replace(old, path)
    else:
        path.unlink(missing_ok=True)
