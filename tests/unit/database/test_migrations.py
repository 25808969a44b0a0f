import asyncio

import pytest

from tetherpy.database import (
    Database,
    DuplicateMigrationError,
    Migration,
    MigrationChangedError,
    MigrationFailedError,
    MigrationMissingError,
    MigrationOrderError,
    SchemaNewerError,
)

ONE = Migration(1, "notes", "CREATE TABLE note (id INTEGER PRIMARY KEY); CREATE INDEX n ON note (id);")
TWO = Migration(
    2,
    "log",
    """
    CREATE TABLE log (text);  -- one ; in a comment
    CREATE TRIGGER note_added AFTER INSERT ON note BEGIN
        INSERT INTO log VALUES ('a;b');
        INSERT INTO log VALUES (new.id);
    END;
    """,
)
THREE = Migration(3, "seed", "INSERT INTO note VALUES (1); INSERT INTO note VALUES (2)")


async def opened(path, *migrations):
    async with Database.open(path, migrations=migrations) as db:
        return [
            (row["namespace"], row["version"], row["name"])
            for row in await db.get_all("SELECT * FROM tetherpy_migrations ORDER BY namespace, version")
        ]


async def test_migrations_are_applied_once_and_in_order(tmp_path):
    path = tmp_path / "app.db"
    assert await opened(path, TWO, ONE) == [("app", 1, "notes"), ("app", 2, "log")]
    for _ in range(2):
        assert len(await opened(path, ONE, TWO, THREE)) == 3
    async with Database.open(path) as db:
        assert len(await db.get_all("SELECT * FROM note")) == 2
        assert [row[0] for row in await db.get_all("SELECT text FROM log")] == ["a;b", 1, "a;b", 2]


async def test_namespaces_are_independent(tmp_path):
    path = tmp_path / "app.db"
    other = Migration(1, "queue", "CREATE TABLE queue (x)", namespace="shipped")
    await opened(path, ONE, TWO)
    assert await opened(path, other) == [("app", 1, "notes"), ("app", 2, "log"), ("shipped", 1, "queue")]
    async with Database.open(path, migrations=[ONE, TWO]) as db:
        await db.migrate([other])
        await db.migrate([other, Migration(2, "more", "CREATE TABLE more (x)", namespace="shipped")])
        await db.get_all("SELECT * FROM more")


@pytest.mark.parametrize(
    ("code", "error", "version"),
    [
        ((ONE, Migration(2, "log", "CREATE TABLE log (other)"), THREE), MigrationChangedError, 2),
        ((ONE, THREE), MigrationMissingError, 2),
        ((ONE, TWO), SchemaNewerError, 3),
        ((ONE, TWO, THREE, Migration(4, "new", "CREATE TABLE new (x)")), None, None),
    ],
)
async def test_a_changed_migration_is_an_error_that_names_it(tmp_path, code, error, version):
    path = tmp_path / "app.db"
    await opened(path, ONE, TWO, THREE)
    if error is None:
        assert len(await opened(path, *code)) == 4
        return
    with pytest.raises(error) as caught:
        await opened(path, *code)
    assert (caught.value.namespace, caught.value.version) == ("app", version)
    assert len(await opened(path)) == 3


async def test_a_version_below_the_applied_one_is_an_error(tmp_path):
    await opened(tmp_path / "app.db", ONE, THREE)
    with pytest.raises(MigrationOrderError, match="above 3"):
        await opened(tmp_path / "app.db", ONE, TWO, THREE)


async def test_two_migrations_with_one_version_are_an_error_before_any_is_applied(tmp_path):
    with pytest.raises(DuplicateMigrationError, match="renumber"):
        await opened(tmp_path / "app.db", ONE, Migration(1, "again", "SELECT 1"))


async def test_white_space_does_not_count_as_a_change(tmp_path):
    await opened(tmp_path / "app.db", ONE)
    spaced = Migration(1, "notes", "\n    " + ONE.sql + "\n\n")
    assert len(await opened(tmp_path / "app.db", spaced)) == 1


async def test_a_failed_migration_is_rolled_back_and_earlier_ones_stay(tmp_path):
    path = tmp_path / "app.db"
    broken = Migration(2, "broken", "CREATE TABLE half (x); INSERT INTO missing VALUES (1);")
    with pytest.raises(MigrationFailedError, match="INSERT INTO missing") as caught:
        await opened(path, ONE, broken)
    assert caught.value.version == 2
    async with Database.open(path, migrations=[ONE, Migration(2, "mended", "CREATE TABLE half (y)")]) as db:
        assert await db.get_all("SELECT y FROM half") == []


async def test_an_up_to_date_database_opens_without_the_write_lock(tmp_path):
    path = tmp_path / "app.db"
    await opened(path, ONE, TWO)
    async with Database.open(path) as db, db.transaction():
        assert len(await asyncio.wait_for(opened(path, ONE, TWO), 25)) == 2


async def test_no_namespace_is_migrated_if_one_does_not_match(tmp_path):
    path = tmp_path / "app.db"
    queue = Migration(1, "queue", "CREATE TABLE queue (x)", namespace="shipped")
    await opened(path, queue)
    changed = Migration(1, "queue", "CREATE TABLE queue (y)", namespace="shipped")
    with pytest.raises(MigrationChangedError):
        await opened(path, ONE, changed)
    assert await opened(path) == [("shipped", 1, "queue")]
