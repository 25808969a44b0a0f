import contextlib
import hashlib
import sqlite3

import pytest

from tetherpy.database import (
    Database,
    DatabaseLockedError,
    DatabaseOpenError,
    Migration,
    NotADatabaseError,
    applied_migrations,
)

STEPS = [Migration(1, "one", "CREATE TABLE a (x)"), Migration(3, "three", "CREATE TABLE b (x)", namespace="other")]


async def test_what_was_applied_is_told_by_namespace_and_version(tmp_path):
    path = tmp_path / "app.db"
    async with Database.open(path, migrations=STEPS):
        found = applied_migrations(path)
    assert [(m.namespace, m.version, m.name, m.checksum) for m in found] == [
        (step.namespace, step.version, step.name, step.checksum) for step in STEPS
    ]
    assert all(m.applied_at.tzinfo is not None for m in found)
    assert applied_migrations(path) == found


def test_another_programs_database_is_not_touched(tmp_path):
    path = tmp_path / "theirs.db"
    with contextlib.closing(sqlite3.connect(path)) as theirs:
        theirs.execute("CREATE TABLE bookmarks (x)")
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    assert applied_migrations(path) == []
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert list(tmp_path.iterdir()) == [path]


def test_no_file_is_an_error_and_stays_no_file(tmp_path):
    with pytest.raises(DatabaseOpenError):
        applied_migrations(tmp_path / "none #?%20.db")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_database_is_named(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no database at all, whatever its length may be" * 30)
    with pytest.raises(NotADatabaseError):
        applied_migrations(path)


async def test_odd_names_are_paths_and_not_parameters(tmp_path):
    path = tmp_path / "100% #1?mode=rwc.db"
    async with Database.open(path, migrations=STEPS):
        pass
    assert len(applied_migrations(path)) == 2


def test_a_lock_is_told_as_one(tmp_path, monkeypatch):
    monkeypatch.setattr("tetherpy.database.migration_records._BUSY_TIMEOUT_SECONDS", 0.0)
    path = tmp_path / "theirs.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as theirs:
        theirs.execute("CREATE TABLE bookmarks (x)")
        theirs.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseLockedError):
            applied_migrations(path)
