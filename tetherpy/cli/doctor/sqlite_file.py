"""Examinations of the SQLite file itself, by a connection that only reads."""

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
"""The first version with RETURNING, which claims need (sqlite.org/lang_returning.html)."""
FIXED = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
"""Where the WAL-reset bug is fixed, by line of versions (sqlite.org/wal.html#walresetbug)."""
LARGE_LOG = 256 << 20
LOOK_SECONDS = 5.0
"""How long the file is read for damage at most."""
LOCK_SECONDS = 1.0


def examine_version(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> Finding:
    """Look which SQLite this Python uses."""
    told = ".".join(map(str, version))
    if version < OLDEST:
        return Finding.wrong("sqlite version", told, "Use a Python whose SQLite is 3.35 or newer.")
    if version >= FIXED[-1] or any(version[:2] == fixed[:2] and version >= fixed for fixed in FIXED):
        return Finding.ok("sqlite version", told)
    return Finding.advice(
        "sqlite version",
        f"{told} has the WAL-reset bug",
        "It is very rare; a Python with SQLite 3.51.3, 3.50.7 or 3.44.6 is free of it.",
    )


def examine_file(path: Path) -> Iterator[Finding]:
    """Look whether the file can be used, is undamaged, up to date and free."""
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
        f"this user cannot write {' and '.join(locked_out)}",
        "Change owner or mode: SQLite's log needs the file and its folder.",
    )


def _journal_mode(connection: sqlite3.Connection) -> Finding:
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if mode == "wal":
        return Finding.ok("journal mode", mode)
    return Finding.wrong(
        "journal mode", mode, "Run tetherpy migrate: it makes it a WAL database, so that readers need not wait."
    )


def _free_space(connection: sqlite3.Connection, path: Path) -> Finding:
    free, pages, size, vacuum = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("freelist_count", "page_count", "page_size", "auto_vacuum")
    )
    told = f"{free * size / (1 << 20):,.1f} of {pages * size / (1 << 20):,.1f} MiB"
    if not is_much_free_space(free, pages):
        return Finding.ok("free space", told)
    if vacuum == INCREMENTAL_VACUUM:
        return Finding.ok("free space", f"{told}; it is given back little by little while there are commits")
    return Finding.advice(
        "free space",
        f"{told}; the file cannot shrink by itself",
        f"Stop what uses it and run once: sqlite3 '{path}' 'PRAGMA auto_vacuum = INCREMENTAL; VACUUM'.",
    )


def _damage(connection: sqlite3.Connection) -> Finding:
    deadline = time.monotonic() + LOOK_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
    try:
        problems = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return Finding.ok("integrity", f"no damage found in {LOOK_SECONDS:g} s of looking")
    finally:
        connection.set_progress_handler(None, 0)
    if problems == ["ok"]:
        return Finding.ok("integrity", "no damage found")
    return Finding.wrong(
        "integrity",
        problems[0],
        "Stop every process that uses it, keep a copy, and restore a backup or salvage it: sqlite3 FILE .recover",
    )


def _migrations(path: Path) -> Finding:
    (namespace,) = {step.namespace for step in JOB_MIGRATIONS}
    newest = JOB_MIGRATIONS[-1].version
    applied = max((step.version for step in applied_migrations(path) if step.namespace == namespace), default=0)
    if applied > newest:
        told = f"the job tables have version {applied}, and this tetherpy knows {newest}"
        return Finding.wrong("migrations", told, "Use the newer tetherpy that made them, or restore a backup.")
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
            return Finding.wrong("write lock", f"it cannot be had: {error}", "See what else is wrong here.")
        told = f"another process has held it for {LOCK_SECONDS:g} s"
        return Finding.wrong("write lock", told, f"Find who holds a transaction open: fuser -v '{path}'.")
    return Finding.ok("write lock", "free")


def _log_size(path: Path) -> Finding:
    try:
        size = path.with_name(f"{path.name}-wal").stat().st_size
    except OSError:
        size = 0
    told = f"{size / (1 << 20):,.1f} MiB"
    if size < LARGE_LOG:
        return Finding.ok("write-ahead log", told)
    return Finding.wrong(
        "write-ahead log", told, f"A reader keeps an old moment open, so the log grows. Find it: fuser -v '{path}'."
    )
