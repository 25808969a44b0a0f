"""Path checks before opening: SQLite reports every problem as "unable to open database file"."""

import os
from pathlib import Path

from ..addresses import Address, sqlite_path
from ..errors import DatabaseFolderMissingError, DatabaseOpenError, DatabaseReadOnlyError
from .open_files import check_not_inherited


def checked_path(address: Address) -> Path:
    """Return the real path of the file; raises ``DatabaseOpenError`` with the reason if it cannot be opened."""
    path = sqlite_path(address)
    if not path.parent.is_dir():
        raise DatabaseFolderMissingError(path)
    check_not_inherited(path)
    if path.is_dir():
        raise DatabaseOpenError(path, "it is a folder", "name a file in it")
    writable = path if path.exists() else path.parent
    if not os.access(writable, os.W_OK) or not os.access(path.parent, os.W_OK):
        raise DatabaseReadOnlyError(path)
    return path


def create_file(path: Path) -> None:
    """Create an empty file unless it exists; its mode is 0666 without the bits of the umask.

    SQLite gives its other files the same mode. A file that SQLite creates is never writable for group or others.
    """
    try:
        # Never open an existing file: closing it would release the locks that SQLite holds in this process.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o666))
    except FileExistsError:
        return
    except OSError as error:
        advice = "check that the file and its folder can be read and written"
        raise DatabaseOpenError(path, error.strerror or str(error), advice) from error
