"""A database on a server has the methods and guarantees of one in a file."""

import asyncio

import psycopg
import pytest

from tetherpy.database import (
    DatabaseAddressError,
    DatabaseArgumentError,
    DatabaseClosedError,
    DatabaseUnavailableError,
    PostgresDatabase,
    RowNotFoundError,
    TransactionHeldError,
    TransactionNestedError,
    TransactionOverError,
    redacted,
)
from tetherpy.database.postgres.placeholders import bound, numbered
from tetherpy.database.postgres.pool import Pool


@pytest.fixture
async def db(postgres_url):
    async with PostgresDatabase.open(postgres_url) as db:
        await db.execute("CREATE TABLE notes (id int PRIMARY KEY, text text)")
        yield db


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("SELECT ?, ?", "SELECT $1, $2"),
        ("SELECT :a, :b, :a", "SELECT $1, $2, $1"),
        ("SELECT '?', \"?\", ?", "SELECT '?', \"?\", $1"),
        ("SELECT 'it''s ?' -- ?\n, ?", "SELECT 'it''s ?' -- ?\n, $1"),
        ("SELECT /* ? :x */ ?::int", "SELECT /* ? :x */ $1::int"),
        ("SELECT $$ ? $$, $t$ :x $t$, :x::text", "SELECT $$ ? $$, $t$ :x $t$, $1::text"),
        ("SELECT 100 % 7", "SELECT 100 % 7"),
    ],
)
def test_placeholders_are_translated_except_inside_quotes(sql, wanted):
    assert numbered(sql)[0].decode() == wanted


def test_values_are_passed_in_the_order_of_their_numbers():
    assert bound("SELECT :b, :a, :b", {"a": 1, "b": 2})[1] == [2, 1]
    with pytest.raises(DatabaseArgumentError, match="mixes"):
        bound("SELECT ?, :a", {"a": 1})
    with pytest.raises(DatabaseArgumentError, match="mapping"):
        bound("SELECT :a", [1])
    with pytest.raises(DatabaseArgumentError, match="the value of :b is missing"):
        bound("SELECT :a, :b", {"a": 1})


async def test_rows_support_names_indexes_and_iteration(db):
    await db.execute("INSERT INTO notes VALUES (?, ?)", (1, "one"))
    row = await db.get("SELECT * FROM notes WHERE id = :id", {"id": 1})
    assert (row["id"], row[1], list(row), row.keys(), len(row)) == (1, "one", [1, "one"], ["id", "text"], 2)
    assert tuple(row)[1:] == ("one",)
    with pytest.raises(IndexError, match="no column 'nothing'"):
        row["nothing"]
    assert await db.get_optional("SELECT * FROM notes WHERE id = 2") is None
    with pytest.raises(RowNotFoundError):
        await db.get("SELECT * FROM notes WHERE id = 2")


async def test_executemany_writes_all_rows_or_none_and_returns_the_count(db):
    assert await db.execute_many("INSERT INTO notes VALUES (?, ?)", [(n, str(n)) for n in range(50)]) == 50
    assert await db.execute_many("UPDATE notes SET text = :t WHERE id < :n", [{"t": "x", "n": 3}]) == 3
    assert await db.execute_many("INSERT INTO notes VALUES (?, ?)", []) == 0
    with pytest.raises(Exception, match="duplicate key"):
        await db.execute_many("INSERT INTO notes VALUES (?, ?)", [(100, ""), (1, "")])
    assert len(await db.get_all("SELECT * FROM notes")) == 50
    executed = await db.execute("DELETE FROM notes WHERE id < ? RETURNING id", (2,))
    assert (executed.rowcount, [row["id"] for row in executed.rows]) == (2, [0, 1])


async def test_a_transaction_is_atomic_and_a_nested_one_is_a_savepoint(db):
    async def change_of_mind(tx):
        async with db.transaction() as inner:
            await inner.execute("INSERT INTO notes VALUES (2, 'undone')")
            with pytest.raises(TransactionNestedError):
                await tx.execute("SELECT 1")
            raise RuntimeError

    async with db.transaction() as tx:
        await tx.execute("INSERT INTO notes VALUES (1, 'kept')")
        with pytest.raises(RuntimeError):
            await change_of_mind(tx)
        assert await db.get_all("SELECT * FROM notes") == []
        with pytest.raises(TransactionHeldError):
            await db.execute("INSERT INTO notes VALUES (3, 'waits for ever in a file')")
    assert [row["id"] for row in await db.get_all("SELECT id FROM notes")] == [1]
    with pytest.raises(TransactionOverError):
        await tx.execute("SELECT 1")


async def test_transactions_of_concurrent_tasks_are_separate(db):
    async def insert(number):
        async with db.transaction() as tx:
            await tx.execute("INSERT INTO notes VALUES (?, 'x')", (number,))
            await asyncio.sleep(0.01)
            assert (await tx.get("SELECT count(*) AS n FROM notes WHERE id = ?", (number,)))["n"] == 1
            if number % 2:
                raise RuntimeError

    results = await asyncio.gather(*(insert(number) for number in range(30)), return_exceptions=True)
    assert sum(isinstance(result, RuntimeError) for result in results) == 15
    ids = [row["id"] for row in await db.get_all("SELECT id FROM notes ORDER BY id")]
    assert ids == list(range(0, 30, 2))


async def test_a_closed_database_refuses_every_call(db):
    await db.aclose()
    await db.aclose()
    with pytest.raises(DatabaseClosedError):
        await db.get("SELECT 1")
    with pytest.raises(DatabaseClosedError):
        db.listener.add("news", lambda: None)


async def test_an_exhausted_pool_is_an_error_that_explains_it(db, monkeypatch):
    monkeypatch.setattr("tetherpy.database.postgres.pool.GET_SECONDS", 0.05)
    pool = Pool(db._settings, db.name, 1)
    async with pool.connection():
        with pytest.raises(DatabaseUnavailableError, match="in use"):
            async with pool.connection():
                pass
    async with pool.connection() as connection:
        await connection.execute("SELECT 1")
    await pool.close()


def test_an_address_is_shown_without_its_password():
    url = "postgresql://me:s3cret@host:5433/app?sslmode=require&password=s3cret&host=/tmp/x"
    assert redacted(url) == "postgresql://me@host:5433/app?sslmode=require&host=/tmp/x"
    assert redacted("/tmp/app.db") == "/tmp/app.db"
    assert "s3cret" not in redacted("postgresql://me:s3cret@[bad/app")
    for mark in "/?#@":
        shown = redacted(f"postgresql://me:s3cret{mark}s3cret@host/app")
        assert "s3cret" not in shown


async def test_an_invalid_url_is_an_error_without_secrets():
    unescaped = [f"postgresql://me:s3cret{mark}s3cret@host/app" for mark in "/?#@"]
    for url in (
        "postgresql://me:s3cret@host:notaport/app",
        "postgresql://me:s3cret@host/app?nonsense=1",
        *unescaped,
    ):
        with pytest.raises((DatabaseAddressError, DatabaseUnavailableError)) as raised:
            await PostgresDatabase.open(url, connect_timeout=0)
        chain, error = [], raised.value
        while error is not None:
            chain.append(str(error))
            error = error.__cause__
        assert "s3cret" not in "".join(chain)


async def test_server_and_client_detect_a_vanished_peer_equally_fast(db):
    rows = await db.get_all("SELECT name, source FROM pg_settings WHERE name IN ('TimeZone', 'tcp_keepalives_idle')")
    assert {tuple(row) for row in rows} == {("tcp_keepalives_idle", "client"), ("TimeZone", "client")}


async def test_no_repr_of_an_open_database_contains_its_password(postgres_url):
    secret = f"{postgres_url}{'&' if '?' in postgres_url else '?'}sslpassword=s3cret"
    async with PostgresDatabase.open(secret) as db, db.transaction() as tx:
        assert "s3cret" not in repr([db, db.listener, db._pool, tx])


@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), RuntimeError("can't start new thread")])
async def test_an_interrupted_listener_is_restarted(db, monkeypatch, caplog, error):
    notifies, heard = psycopg.AsyncConnection.notifies, asyncio.Queue()
    failures = [error]

    def fail_once(connection, **options):
        if failures:
            raise failures.pop()
        return notifies(connection, **options)

    monkeypatch.setattr(psycopg.AsyncConnection, "notifies", fail_once)
    db.listener.add("news", lambda: heard.put_nowait(None))
    async with asyncio.timeout(25):
        for _ in range(2):  # it listens, and listens again
            await heard.get()
        await db.execute("NOTIFY news")
        await heard.get()
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "listening failed" in record.message
    assert record.exc_info[1] is error
