import asyncio
import sqlite3

import pytest

from tetherpy.database import (
    Database,
    DatabaseClosedError,
    DatabaseFolderMissingError,
    DatabaseOpenError,
    NotADatabaseError,
    RowNotFoundError,
    WriteOnReaderError,
    WrongLoopError,
)


@pytest.fixture
async def db(db):
    await db.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE)")
    return db


async def test_rows_are_read_by_name(db):
    executed = await db.execute("INSERT INTO note (text) VALUES (:text) RETURNING id", {"text": "a"})
    assert [row["id"] for row in executed.rows] == [1]
    assert (executed.rowcount, executed.lastrowid) == (1, 1)
    assert await db.execute_many("INSERT INTO note (text) VALUES (?)", (("b",), ("c",))) == 2
    assert dict(await db.get("SELECT * FROM note WHERE id = ?", (2,))) == {"id": 2, "text": "b"}
    assert await db.get_optional("SELECT * FROM note WHERE id = 9") is None
    assert [row["text"] for row in await db.get_all("SELECT text FROM note ORDER BY id")] == ["a", "b", "c"]


async def test_a_missing_row_is_an_error_that_contains_the_query(db):
    with pytest.raises(RowNotFoundError) as caught:
        await db.get("SELECT * FROM note WHERE id = 9")
    assert caught.value.sql == "SELECT * FROM note WHERE id = 9"


async def test_a_read_refuses_a_statement_that_writes(db):
    for read in (db.get, db.get_all, db.get_optional):
        with pytest.raises(WriteOnReaderError):
            await read("INSERT INTO note (text) VALUES ('x') RETURNING id")
    with pytest.raises(WriteOnReaderError):
        await db.read(lambda connection: connection.execute("DELETE FROM note"))


async def test_errors_of_statements_stay_exceptions_of_sqlite3(db):
    await db.execute("INSERT INTO note (text) VALUES ('a')")
    with pytest.raises(sqlite3.IntegrityError):
        await db.execute("INSERT INTO note (text) VALUES ('a')")
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await db.get_all("SELECT * FROM missing")


async def test_a_read_sees_one_snapshot(db):
    def count_twice(connection, loop):
        first = connection.execute("SELECT count(*) FROM note").fetchone()[0]
        written = asyncio.run_coroutine_threadsafe(db.execute("INSERT INTO note (text) VALUES ('x')"), loop)
        written.result(10)
        return first, connection.execute("SELECT count(*) FROM note").fetchone()[0]

    assert await db.read(count_twice, asyncio.get_running_loop()) == (0, 0)
    assert (await db.get("SELECT count(*) FROM note"))[0] == 1


async def test_foreign_keys_are_enforced(db):
    await db.execute("CREATE TABLE tag (note INTEGER REFERENCES note)")
    with pytest.raises(sqlite3.IntegrityError):
        await db.execute("INSERT INTO tag VALUES (7)")


async def test_each_call_takes_one_hop(db):
    before = db._writer.connection_thread.hops, db._reader.hops
    await db.execute("INSERT INTO note (text) VALUES ('a')")
    await db.execute_many("INSERT INTO note (text) VALUES (?)", [("b",), ("c",)])
    await db.run(lambda connection: connection.execute("DELETE FROM note"))
    assert (db._writer.connection_thread.hops, db._reader.hops) == (before[0] + 3, before[1])
    await db.get_all("SELECT * FROM note")
    await db.read(lambda connection: connection.execute("SELECT 1").fetchall())
    assert (db._writer.connection_thread.hops, db._reader.hops) == (before[0] + 3, before[1] + 2)


async def test_a_closed_database_refuses_every_call(tmp_path):
    db = await Database.open(tmp_path / "app.db")
    await db.aclose()
    await db.aclose()
    for call in (
        lambda: db.execute("SELECT 1"),
        lambda: db.run(lambda connection: None),
        lambda: db.read(lambda connection: None),
        lambda: db.get_all("SELECT 1"),
        lambda: db.transaction().__aenter__(),
    ):
        with pytest.raises(DatabaseClosedError):
            await call()
    with pytest.raises(DatabaseClosedError):
        db.on_change(print)


async def test_close_waits_for_queued_calls(tmp_path):
    async with Database.open(tmp_path / "app.db") as db:
        await db.execute("CREATE TABLE t (x)")
        writes = [asyncio.create_task(db.execute("INSERT INTO t VALUES (?)", (n,))) for n in range(600)]
        await asyncio.sleep(0)
    await asyncio.gather(*writes)
    async with Database.open(tmp_path / "app.db") as db:
        assert (await db.get("SELECT count(*) FROM t"))[0] == 600


async def test_close_rolls_back_an_open_transaction(tmp_path):
    db = await Database.open(tmp_path / "app.db")
    await db.execute("CREATE TABLE t (x)")
    entered = asyncio.Event()
    leave = asyncio.Event()

    async def hold():
        async with db.transaction() as tx:
            await tx.execute("INSERT INTO t VALUES (1)")
            entered.set()
            await leave.wait()

    holder = asyncio.create_task(hold())
    await entered.wait()
    waiting = asyncio.create_task(db.execute("INSERT INTO t VALUES (2)"))
    await asyncio.sleep(0)
    await db.aclose()
    leave.set()
    for task in (holder, waiting):
        with pytest.raises(DatabaseClosedError):
            await task
    async with Database.open(tmp_path / "app.db") as again:
        assert await again.get_all("SELECT * FROM t") == []


def test_a_database_belongs_to_the_loop_that_opened_it(tmp_path):
    async def first():
        nonlocal db
        db = await Database.open(tmp_path / "app.db")
        await db.execute("CREATE TABLE t (x)")
        await db.aclose()

    async def second():
        with pytest.raises(WrongLoopError):
            await db.execute("SELECT 1")
        with pytest.raises(WrongLoopError):
            db.transaction()
        async with Database.open(tmp_path / "app.db") as mine:
            await mine.execute("INSERT INTO t VALUES (1)")

    db = None
    asyncio.run(first())
    with pytest.raises(WrongLoopError):
        db.watch("SELECT 1").subscribe(on_error=raise_it)
    asyncio.run(second())


def raise_it(error):
    raise error


async def test_an_invalid_path_is_an_error_with_the_reason(tmp_path):
    with pytest.raises(DatabaseFolderMissingError, match="does not exist") as caught:
        await Database.open(tmp_path / "missing" / "app.db")
    assert caught.value.path == tmp_path / "missing" / "app.db"
    with pytest.raises(DatabaseOpenError, match="folder"):
        await Database.open(tmp_path)
    with pytest.raises(DatabaseOpenError, match="memory"):
        await Database.open(":memory:")
    (tmp_path / "letter.txt").write_text("dear reader, " * 100)
    with pytest.raises(NotADatabaseError):
        await Database.open(tmp_path / "letter.txt")
    assert (tmp_path / "letter.txt").read_text() == "dear reader, " * 100
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


async def test_opening_can_be_cancelled_at_each_step(tmp_path):
    for steps in range(60):
        opening = asyncio.ensure_future(open_and_close(tmp_path / "app.db"))
        for _ in range(steps):
            await asyncio.sleep(0)
        opening.cancel()
        await asyncio.wait([opening])
    async with Database.open(tmp_path / "app.db") as db:
        await db.execute("CREATE TABLE t (x)")


async def open_and_close(path):
    async with Database.open(path):
        pass


async def test_a_process_has_two_connections_per_database(db):
    import psutil

    files = [entry.path for entry in psutil.Process().open_files() if entry.path == str(db.path)]
    assert len(files) == 2
    async with Database.open(db.path) as other:
        await other.execute("INSERT INTO note (text) VALUES ('other')")
        assert (await db.get("SELECT text FROM note"))["text"] == "other"


async def test_synchronous_mode_and_write_ahead_log_are_set_as_requested(tmp_path):
    async with Database.open(tmp_path / "app.db", synchronous="FULL") as db:

        def pragma(connection, name):
            return connection.execute(f"PRAGMA {name}").fetchone()[0]

        call = db._writer.connection_thread.call
        assert [await call(pragma, name) for name in ("journal_mode", "synchronous")] == ["wal", 2]
        assert await call(pragma, "journal_size_limit") == 16 * 1024 * 1024
        assert await db._reader.call(pragma, "query_only") == 1
    with pytest.raises(ValueError, match="NORMAL"):
        Database.open(tmp_path / "app.db", synchronous="SOMETIMES")


async def test_every_user_who_may_write_the_database_may_write_the_change_signal_file(db):
    change_signal = db.path.with_name("app.db-signal")
    assert change_signal.stat().st_mode & 0o777 == db.path.stat().st_mode & 0o666
