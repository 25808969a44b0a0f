"""What happens to the file of a database while programs have it open."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path


def delete(path: Path) -> None:
    for name in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        name.unlink(missing_ok=True)


def restore(path: Path) -> None:
    """Replace the file with a copy of it, as the restore of a backup does."""
    backup = path.with_name("backup.db")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(backup),))
    delete(path)
    backup.rename(path)
