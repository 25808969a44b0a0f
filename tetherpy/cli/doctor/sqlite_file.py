"""Examinations of the SQLite file, through a read-only connection."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from tetherpy.database import INCREMENTAL_VACUUM, applied_migrations, is_much_free_space
from tetherpy.jobs import JOB_MIGRATIONS

from .finding import Finding

OLDEST = (3, 35, 0)
"""The first version with RETURNING, which claiming jobs needs (sqlite.org/lang_returning.html)."""
FIXED = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
"""The versions that fix the WAL-reset bug, per release line (sqlite.org/wal.html#walresetbug)."""
LARGE_LOG = 256 << 20
LOOK_SECONDS = 5.0
"""Maximum duration of the integrity check."""
LOCK_SECONDS = 1.0


def examine_version(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> Finding:
    """Check the version of SQLite."""
    found = ".".join(map(str, version))
    if version < OLDEST:
        return Finding.wrong("sqlite version", found, "Use a Python whose SQLite is 3.35 or newer.")
    if version >= FIXED[-1] or any(version[:2] == fixed[:2] and version >= fixed for fixed in FIXED):
        return Finding.ok("sqlite version", found)
    return Finding.advice(
        "sqlite version",
        f"{found} has the WAL-reset bug",
        "The bug is very rare; SQLite 3.51.3, 3.50.7 and 3.44.6 fix it.",
    )


def examine_file(path: Path) -> Iterator[Finding]:
    """Check access, journal mode, integrity, migrations, locks and size."""
    yield _access(path)
    try:
        with contextlib.closing(_connect(path, "ro")) as connection:
            yield _journal_mode(connection)
            yield _damage(connection)
            yield _free_space(connection, path)
    except sqlite3.Error as error:
        yield Finding.wrong("database", f"{path} cannot be read: {error}", "Check the path; restore a backup.")
        return
    yield _migrations(path)
    yield _write_lock(path)
    yield _log_size(path)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode={mode}", uri=True, timeout=LOCK_SECONDS, isolation_level=None)


def _access(path: Path) -> Finding:
    locked_out = [str(place) for place in (path, path.parent) if not os.access(place, os.R_OK | os.W_OK)]
    if not locked_out:
        return Finding.ok("access", f"{path} can be read and written")
    return Finding.wrong(
        "access",
        f"this user cannot write to {' and '.join(locked_out)}",
        "Change the owner or the mode: SQLite writes to the file and creates others in its folder.",
    )


def _journal_mode(connection: sqlite3.Connection) -> Finding:
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if mode == "wal":
        return Finding.ok("journal mode", mode)
    return Finding.wrong(
        "journal mode", mode, "Run tetherpy migrate: it switches to WAL mode, in which readers do not block."
    )


def _free_space(connection: sqlite3.Connection, path: Path) -> Finding:
    free, pages, size, vacuum = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("freelist_count", "page_count", "page_size", "auto_vacuum")
    )
    found = f"{free * size / (1 << 20):,.1f} of {pages * size / (1 << 20):,.1f} MiB"
    if not is_much_free_space(free, pages):
        return Finding.ok("free space", found)
    if vacuum == INCREMENTAL_VACUUM:
        return Finding.ok("free space", f"{found}; it is released gradually with commits")
    return Finding.advice(
        "free space",
        f"{found}; the file does not shrink by itself",
        f"Stop all processes that use it and run once: sqlite3 '{path}' 'PRAGMA auto_vacuum = INCREMENTAL; VACUUM'.",
    )


def _damage(connection: sqlite3.Connection) -> Finding:
    deadline = time.monotonic() + LOOK_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
    try:
        problems = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return Finding.ok("integrity", f"no damage found in {LOOK_SECONDS:g} s")
    finally:
        connection.set_progress_handler(None, 0)
    if problems == ["ok"]:
        return Finding.ok("integrity", "no damage found")
    return Finding.wrong(
        "integrity",
        problems[0],
        "Stop every process that uses it, keep a copy, and restore a backup or run: sqlite3 FILE .recover",
    )


def _migrations(path: Path) -> Finding:
    (namespace,) = {step.namespace for step in JOB_MIGRATIONS}
    newest = JOB_MIGRATIONS[-1].version
    applied = max((step.version for step in applied_migrations(path) if step.namespace == namespace), default=0)
    if applied > newest:
        found = f"the job tables have version {applied}, and this tetherpy knows {newest}"
        return Finding.wrong("migrations", found, "Use the newer tetherpy that created them, or restore a backup.")
    if applied < newest:
        return Finding.wrong("migrations", f"version {applied} of {newest} is applied", "Run tetherpy migrate.")
    return Finding.ok("migrations", f"the job tables have version {applied}")


def _write_lock(path: Path) -> Finding:
    try:
        with contextlib.closing(_connect(path, "rw")) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            return Finding.wrong("write lock", f"cannot be acquired: {error}", "See the other findings.")
        found = f"another process has held it for {LOCK_SECONDS:g} s"
        return Finding.wrong("write lock", found, f"Find the process with an open transaction: fuser -v '{path}'.")
    return Finding.ok("write lock", "free")


def _log_size(path: Path) -> Finding:
    try:
        size = path.with_name(f"{path.name}-wal").stat().st_size
    except OSError:
        size = 0
    found = f"{size / (1 << 20):,.1f} MiB"
    if size < LARGE_LOG:
        return Finding.ok("write-ahead log", found)
    return Finding.wrong(
        "write-ahead log",
        found,
        f"A long read transaction keeps the log from shrinking. Find the process: fuser -v '{path}'.",
    )
