import asyncio
import logging
import sqlite3

import pytest

from tetherpy.database import TransactionControlError, TransactionHeldError


def insert(connection, value):
    connection.execute("INSERT INTO t VALUES (?)", (value,))
    return value


async def values(db):
    return [row[0] for row in await db.get_all("SELECT x FROM t ORDER BY x")]


async def test_queued_calls_share_one_transaction(db):
    hops = db._writer.connection_thread.hops
    assert await asyncio.gather(*(db.run(insert, n) for n in range(100))) == list(range(100))
    assert db._writer.connection_thread.hops - hops == 1
    # 1000 more: no transaction exceeds its share.
    hops = db._writer.connection_thread.hops
    await asyncio.gather(*(db.run(insert, n) for n in range(100, 1100)))
    assert db._writer.connection_thread.hops - hops == 4
    changes = await db.get("SELECT version FROM tetherpy_changes WHERE table_name = 't'")
    assert changes["version"] == 5


@pytest.mark.parametrize("call", [lambda db: db.execute("INSERT INTO t VALUES (1)"), lambda db: db.get_all("SELECT 1")])
async def test_the_writer_is_busy_until_a_call_is_answered(db, call):
    assert not db.busy
    calling = asyncio.create_task(call(db))
    while not db.busy:
        await asyncio.sleep(0)
    await calling
    assert not db.busy


async def test_the_writer_is_not_busy_while_a_transaction_only_holds_it(db):
    async with db.transaction():
        waiting = asyncio.create_task(db.execute("INSERT INTO t VALUES (1)"))
        await asyncio.sleep(0)
        assert not db.busy
    await waiting


async def test_a_failed_call_counts_as_answered(db):
    with pytest.raises(sqlite3.Error):
        await db.run(lambda connection: connection.execute("nonsense"))
    assert not db.busy


async def test_a_commit_adds_three_statements(db):
    def traced(connection):
        connection.set_trace_callback(statements.append)

    statements = []
    await db._writer.connection_thread.call(traced)
    await asyncio.gather(*(db.run(insert, n) for n in range(3)))
    kinds = [statement.split(" ")[0] for statement in statements]
    assert kinds == ["BEGIN", "INSERT", "INSERT", "INSERT", "INSERT", "COMMIT"]
    assert "tetherpy_changes" in statements[4]
    statements.clear()
    async with db.transaction() as tx:
        await tx.get("SELECT count(*) FROM t")
    assert [statement.split(" ")[0] for statement in statements] == ["BEGIN", "SELECT", "COMMIT"]


def count_or_none(connection):
    return connection.execute("SELECT count(*) FROM t").fetchone()[0] or None


async def test_a_call_that_writes_nothing_takes_one_hop_and_no_write_lock(db):
    def traced(connection):
        connection.set_trace_callback(statements.append)

    statements = []
    assert await db.run_unless(count_or_none, insert, 7) == 7
    await db._writer.connection_thread.call(traced)
    hops = db._writer.connection_thread.hops
    assert await db.run_unless(count_or_none, insert, 8) == 1
    assert db._writer.connection_thread.hops - hops == 1
    assert not any("IMMEDIATE" in statement for statement in statements)
    assert await values(db) == [7]


async def test_a_check_shares_the_transaction_of_its_write(db):
    await db.run(insert, 1)
    results = await asyncio.gather(db.run(insert, 2), db.run_unless(count_or_none, insert, 3))
    assert results == [2, 3]
    assert await values(db) == [1, 2, 3]


async def test_a_check_keeps_no_writes_and_raises_its_error(db):
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await db.run_unless(lambda connection: connection.execute("SELECT * FROM nowhere"), insert, 1)
    assert await db.run_unless(lambda connection: insert(connection, 5), insert, 6) == 5
    assert await values(db) == []


async def test_an_error_reaches_only_its_caller(db):
    results = await asyncio.gather(*(db.run(insert, n) for n in (1, 2, 1, 3)), return_exceptions=True)
    assert [type(result).__name__ for result in results] == ["int", "int", "IntegrityError", "int"]
    assert await values(db) == [1, 2, 3]


async def test_a_function_that_raises_leaves_no_changes(db):
    def insert_and_fail(connection):
        insert(connection, 1)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await db.run(insert_and_fail)
    assert await values(db) == []


@pytest.mark.parametrize("sql", ["COMMIT", "ROLLBACK", "BEGIN", "END"])
async def test_a_function_cannot_end_the_shared_transaction(db, sql):
    def end(connection):
        insert(connection, 1)
        connection.execute(sql)

    for _ in range(2):  # a statement that Python has cached is refused as well
        results = await asyncio.gather(db.run(insert, 5), db.run(end), return_exceptions=True)
        assert isinstance(results[1], TransactionControlError)
        assert await values(db) == [5]
        await db.execute("DELETE FROM t")


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_methods_of_the_connection_cannot_end_the_transaction_either(db, end):
    with pytest.raises(TransactionControlError):
        await db.run(lambda connection: (insert(connection, 1), getattr(connection, end)()))
    with pytest.raises(TransactionControlError):
        await db.run(lambda connection: (insert(connection, 1), connection.executescript("SELECT 1")))
    assert await values(db) == []


async def test_a_task_that_holds_a_transaction_is_refused_instead_of_deadlocking(db):
    async with db.transaction() as tx:
        for call in (db.run(insert, 1), db.execute("SELECT 1"), db.execute_many("SELECT 1", [])):
            with pytest.raises(TransactionHeldError):
                await call
        await tx.run(insert, 2)
    await db.run(insert, 1)
    assert await values(db) == [1, 2]


async def test_a_call_cancelled_before_it_began_has_no_effect(db):
    entered = asyncio.Event()
    leave = asyncio.Event()

    async def hold():
        async with db.transaction():
            entered.set()
            await leave.wait()

    holder = asyncio.create_task(hold())
    await entered.wait()
    cancelled = asyncio.create_task(db.run(insert, 1))
    kept = asyncio.create_task(db.run(insert, 2))
    await asyncio.sleep(0)
    cancelled.cancel()
    leave.set()
    await asyncio.wait([holder, cancelled, kept])
    assert await values(db) == [2]


async def test_a_failure_after_the_cancellation_is_logged(db, caplog):
    import threading

    started = threading.Event()
    go_on = threading.Event()

    def fail(connection):
        started.set()
        go_on.wait(10)
        raise KeyError("late")

    task = asyncio.create_task(db.run(fail))
    await asyncio.to_thread(started.wait, 10)
    task.cancel()
    with caplog.at_level(logging.WARNING, "tetherpy.database"):
        go_on.set()
        await db.run(insert, 1)
    assert "late" in caplog.text
    assert await values(db) == [1]


async def test_an_open_cursor_or_blob_does_not_block_commits(db):
    kept = []

    def leave_open(connection):
        kept.append(connection.execute("INSERT INTO t VALUES (1), (2) RETURNING x"))
        kept.append(connection.execute("SELECT x FROM t"))
        connection.execute("INSERT INTO file VALUES (zeroblob(9))")
        kept.append(connection.blobopen("file", "data", 1))
        kept[-1].write(b"some")

    await db.execute("CREATE TABLE file (data BLOB)")
    await db.run(leave_open)
    await db.run(lambda connection: connection.execute("INSERT INTO t VALUES (3) RETURNING x"))
    async with db.transaction() as tx:
        kept.append(await tx.run(lambda connection: connection.execute("DELETE FROM t WHERE x = 2 RETURNING x")))
    kept.append(await db.read(lambda connection: connection.execute("SELECT * FROM t")))
    assert await values(db) == [1, 3]
    assert (await db.get("SELECT data FROM file"))["data"] == b"some" + bytes(5)
    with pytest.raises(sqlite3.ProgrammingError):
        kept[0].fetchall()
