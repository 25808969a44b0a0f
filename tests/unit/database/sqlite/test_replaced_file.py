"""A database whose file is deleted, moved or replaced."""

import asyncio
import contextlib
import os
import sqlite3

import pytest

from tests.support.database_files import delete, restore
from tetherpy.database import Database, DatabaseReplacedError


def move(path):
    path.rename(path.with_name("moved.db"))


@pytest.mark.parametrize("spoil", [delete, restore, move])
async def test_no_commit_is_acknowledged_after_the_file_lost_its_path(tmp_path, spoil):
    path = tmp_path / "app.db"
    ended = asyncio.Event()
    failed = asyncio.get_running_loop().create_future()
    async with Database.open(path, safety_interval=0.02) as db:
        await db.execute("CREATE TABLE t (x)")
        db.watch("SELECT x FROM t").subscribe(on_error=failed.set_result)
        db.on_change(lambda _: None, ended.set)
        async with db.transaction() as tx:
            await tx.execute("INSERT INTO t VALUES (1)")
        await db._feed.caught_up()
        entered = db.transaction()
        await entered.__aenter__()
        await entered.execute("INSERT INTO t VALUES (2)")
        spoil(path)
        with pytest.raises(DatabaseReplacedError, match=f"process {os.getpid()} had it open"):
            await entered.__aexit__(None, None, None)
        for call in (
            lambda: db.execute("INSERT INTO t VALUES (3)"),
            lambda: db.get_all("SELECT * FROM t"),
            lambda: db.read(len),
            lambda: db.transaction().__aenter__(),
        ):
            with pytest.raises(DatabaseReplacedError):
                await call()
        async with asyncio.timeout(25):
            await ended.wait()
            assert isinstance(await failed, DatabaseReplacedError)
        assert isinstance(db.end(), DatabaseReplacedError)
        async with Database.open(path) as other:
            await other.execute("CREATE TABLE IF NOT EXISTS t (x)")
            await other.execute("INSERT INTO t VALUES (4)")
            await db.aclose()  # must not delete the log of the new file
            await other.execute("INSERT INTO t VALUES (5)")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert [row[0] for row in connection.execute("SELECT x FROM t WHERE x > 1")] == [4, 5]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_folder_that_cannot_be_searched_is_not_taken_for_a_replaced_file(tmp_path):
    async with Database.open(tmp_path / "app.db") as db:
        file = db._reader.file
        file.path = tmp_path / ("x" * 300)  # ENAMETOOLONG says nothing about the file
        assert not file.is_replaced
