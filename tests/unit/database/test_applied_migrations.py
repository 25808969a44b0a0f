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


async def test_applied_migrations_are_listed_by_namespace_and_version(tmp_path):
    path = tmp_path / "app.db"
    async with Database.open(path, migrations=STEPS):
        found = applied_migrations(path)
    assert [(m.namespace, m.version, m.name, m.checksum) for m in found] == [
        (step.namespace, step.version, step.name, step.checksum) for step in STEPS
    ]
    assert all(m.applied_at.tzinfo is not None for m in found)
    assert applied_migrations(path) == found


def test_a_database_of_another_program_is_not_changed(tmp_path):
    path = tmp_path / "theirs.db"
    with contextlib.closing(sqlite3.connect(path)) as theirs:
        theirs.execute("CREATE TABLE bookmarks (x)")
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    assert applied_migrations(path) == []
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_file_is_an_error_and_is_not_created(tmp_path):
    with pytest.raises(DatabaseOpenError):
        applied_migrations(tmp_path / "none #?%20.db")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_a_database_is_named_in_the_error(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no database at all, whatever its length may be" * 30)
    with pytest.raises(NotADatabaseError):
        applied_migrations(path)


async def test_special_characters_in_paths_are_not_read_as_parameters(tmp_path):
    path = tmp_path / "100% #1?mode=rwc.db"
    async with Database.open(path, migrations=STEPS):
        pass
    assert len(applied_migrations(path)) == 2


def test_a_locked_database_is_reported_as_locked(tmp_path, monkeypatch):
    monkeypatch.setattr("tetherpy.database.migration_records._BUSY_TIMEOUT_SECONDS", 0.0)
    path = tmp_path / "theirs.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as theirs:
        theirs.execute("CREATE TABLE bookmarks (x)")
        theirs.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseLockedError):
            applied_migrations(path)
