"""Keep temporary files in memory: ext4 searches long for a new file after many were deleted."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

NEEDED = 3 << 30
"""Bytes that must be free; the whole suite writes less than a third of them."""


def _has_room(folder: str) -> bool:
    return Path(folder).is_dir() and os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > NEEDED


FOLDER = "/dev/shm" if _has_room("/dev/shm") else "/tmp"
"""A folder with a short path, as those of sockets are bounded."""


def install() -> None:
    """Create temporary files of this process and its children in memory, unless TMPDIR names another folder."""
    if FOLDER == "/dev/shm":
        os.environ.setdefault("TMPDIR", FOLDER)
        tempfile.tempdir = None  # read the variable again
