"""Examinations of the machine: the disk, the file system, and what tells of changes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from .finding import Finding

_MIB = 1 << 20
LEAST_FREE = 256 * _MIB
"""Below this a database that works has no room for its log."""
LEAST_INOTIFY = 10
"""Below this the next processes that watch jobs have to poll."""
NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.sshfs", "fuse.glusterfs"})
"""File systems on which SQLite's log cannot be shared (sqlite.org/wal.html: all processes on one host)."""


def examine_disk(folder: Path) -> Finding:
    """Look for room."""
    free = shutil.disk_usage(folder).free
    told = f"{free / _MIB:,.0f} MiB free in {folder}"
    if free >= LEAST_FREE:
        return Finding.ok("disk", told)
    return Finding.wrong("disk", told, "Make room: a full disk fails every enqueue and every outcome of a job.")


def examine_file_system(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> Finding:
    """Look what kind of file system the database is on; Linux tells."""
    try:
        kind = file_system_of(folder.resolve(), mounts.read_text(errors="surrogateescape"))
    except OSError:
        return Finding.ok("file system", "not told by this system")
    if kind not in NETWORK:
        return Finding.ok("file system", kind)
    return Finding.wrong(
        "file system",
        f"{kind}, which is on a network",
        "Move the database to a local disk: SQLite's log and locks do not work between machines.",
    )


def file_system_of(folder: Path, mounts: str) -> str:
    """Return the type of the file system that holds a folder, by the lines of ``/proc/self/mounts``."""
    best, kind = 0, "unknown"
    for line in mounts.splitlines():
        _, place, its_kind, *_ = line.split(" ")
        point = Path(place.encode(errors="surrogateescape").decode("unicode_escape", errors="replace"))
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), its_kind
    return kind


def examine_inotify(settings: Path = Path("/proc/sys/fs/inotify"), processes: Path = Path("/proc")) -> Finding:
    """Count what is left of this user's share of inotify; only Linux has it."""
    try:
        bound = int((settings / "max_user_instances").read_text())
    except (OSError, ValueError):
        return Finding.ok("inotify", "not on this system")
    used = sum(1 for _ in _inotify_descriptors(processes))
    told = f"{used} of {bound} instances in use"
    if bound - used >= LEAST_INOTIFY:
        return Finding.ok("inotify", told)
    return Finding.wrong(
        "inotify",
        told,
        "Allow more: sysctl fs.inotify.max_user_instances=1024. Until then, processes that watch jobs have to poll.",
    )


def _inotify_descriptors(processes: Path) -> Iterator[Path]:
    """Yield the inotify descriptors of this user's processes, of which one may end while it is looked at."""
    for process in processes.glob("[0-9]*"):
        try:
            if process.stat().st_uid != os.getuid():
                continue
            for descriptor in (process / "fd").iterdir():
                if os.readlink(descriptor).endswith("inotify"):
                    yield descriptor
        except OSError:
            continue
