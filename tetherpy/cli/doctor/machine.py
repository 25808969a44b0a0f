"""Examinations of the machine: disk, file system, inotify."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from .finding import Finding

_MIB = 1 << 20
LEAST_FREE = 256 * _MIB
"""A busy database needs so much space for its write-ahead log."""
LEAST_INOTIFY = 10
"""With fewer free instances the next processes that watch jobs must poll."""
NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.sshfs", "fuse.glusterfs"})
"""File systems on which SQLite's log cannot be shared (sqlite.org/wal.html: all processes on one host)."""


def examine_disk(folder: Path) -> Finding:
    """Check the free space."""
    free = shutil.disk_usage(folder).free
    found = f"{free / _MIB:,.0f} MiB free in {folder}"
    if free >= LEAST_FREE:
        return Finding.ok("disk", found)
    return Finding.wrong(
        "disk", found, "Free some space: on a full disk jobs can be neither enqueued nor acknowledged."
    )


def examine_file_system(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> Finding:
    """Check the type of the file system; known on Linux only."""
    try:
        kind = file_system_of(folder.resolve(), mounts.read_text(errors="surrogateescape"))
    except OSError:
        return Finding.ok("file system", "not reported by this system")
    if kind not in NETWORK:
        return Finding.ok("file system", kind)
    return Finding.wrong(
        "file system",
        f"{kind}, a network file system",
        "Move the database to a local disk: SQLite's log and locks do not work between machines.",
    )


def file_system_of(folder: Path, mounts: str) -> str:
    """Return the type of a folder's file system from the lines of ``/proc/self/mounts``."""
    best, kind = 0, "unknown"
    for line in mounts.splitlines():
        _, place, its_kind, *_ = line.split(" ")
        point = Path(place.encode(errors="surrogateescape").decode("unicode_escape", errors="replace"))
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), its_kind
    return kind


def examine_inotify(settings: Path = Path("/proc/sys/fs/inotify"), processes: Path = Path("/proc")) -> Finding:
    """Check this user's limit of inotify instances, on Linux."""
    try:
        bound = int((settings / "max_user_instances").read_text())
    except (OSError, ValueError):
        return Finding.ok("inotify", "not on this system")
    used = sum(1 for _ in _inotify_descriptors(processes))
    found = f"{used} of {bound} instances in use"
    if bound - used >= LEAST_INOTIFY:
        return Finding.ok("inotify", found)
    return Finding.wrong(
        "inotify",
        found,
        "Raise the limit: sysctl fs.inotify.max_user_instances=1024. Until then, processes that watch jobs must poll.",
    )


def _inotify_descriptors(processes: Path) -> Iterator[Path]:
    """Yield the inotify descriptors of this user's processes; a process may end during the scan."""
    for process in processes.glob("[0-9]*"):
        try:
            if process.stat().st_uid != os.getuid():
                continue
            for descriptor in (process / "fd").iterdir():
                if os.readlink(descriptor).endswith("inotify"):
                    yield descriptor
        except OSError:
            continue
