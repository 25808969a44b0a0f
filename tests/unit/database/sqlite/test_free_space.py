"""A file shrinks when most of it is free."""

import contextlib
import sqlite3

from tetherpy.database import Database
from tetherpy.database.sqlite import free_space

ROWS = "WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 6000) INSERT INTO t SELECT zeroblob(3000) FROM n"


def sizes(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages, free = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
    return path.stat().st_size, pages, free


async def test_commits_release_the_space_of_deleted_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(free_space, "CHECK_SECONDS", 0.0)
    monkeypatch.setattr(free_space, "PAGES_AT_ONCE", 1000)
    path = tmp_path / "app.db"
    async with Database.open(path, safety_interval=None) as db:
        await db.execute("CREATE TABLE t (x)")
        await db.execute("CREATE TABLE u (x)")
        await db.execute(ROWS)
        await db.execute("INSERT INTO u VALUES (1)")
        full, _, _ = sizes(path)
        named = []
        db.on_change(named.append)
        await db._feed.caught_up()
        named.clear()
        await db.execute("DELETE FROM t")
        for _ in range(12):
            await db.execute("UPDATE u SET x = x + 1")
            await db._feed.caught_up()
    size, pages, free = sizes(path)
    assert size < full / 3
    assert not free_space.is_much_free_space(free, pages)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT x FROM u").fetchone() == (13,)


async def test_a_file_without_auto_vacuum_is_not_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(free_space, "CHECK_SECONDS", 0.0)
    path = tmp_path / "app.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")
    async with Database.open(path) as db:
        await db.execute(ROWS)
        await db.execute("DELETE FROM t")
        await db.execute("INSERT INTO t VALUES (1)")
    assert sizes(path)[2] > 5000
