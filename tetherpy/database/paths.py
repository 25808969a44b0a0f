"""Whether a path can be a database, before SQLite is asked (it knows one word for every obstacle)."""

import os
from pathlib import Path

from .errors import DatabaseFolderMissingError, DatabaseOpenError, DatabaseReadOnlyError
from .open_files import check_not_inherited


def checked_path(path: Path) -> Path:
    """Return the real path of the file, or raise what keeps it from being opened."""
    if str(path) == ":memory:":
        raise DatabaseOpenError(
            path, "a database in memory cannot be shared by two connections", "use a file in a temporary folder"
        )
    # Two names of one file must agree on the name of the bell.
    path = path.resolve()
    if not path.parent.is_dir():
        raise DatabaseFolderMissingError(path)
    check_not_inherited(path)
    if path.is_dir():
        raise DatabaseOpenError(path, "it is a folder", "name a file in it")
    writable = path if path.exists() else path.parent
    if not os.access(writable, os.W_OK) or not os.access(path.parent, os.W_OK):
        raise DatabaseReadOnlyError(path)
    return path
