import asyncio
import contextlib
import sqlite3

import pytest

from tetherpy.database import (
    TransactionControlError,
    TransactionNestedError,
    TransactionOverError,
)


async def values(db):
    return [row[0] for row in await db.get_all("SELECT x FROM t ORDER BY x")]


def lock_is_free(db):
    other = sqlite3.connect(db.path, timeout=0, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    finally:
        other.close()
    return True


async def insert_and_fail(transaction, value):
    async with transaction as tx:
        await tx.execute("INSERT INTO t VALUES (?)", (value,))
        async with tx.transaction() as inner:
            await inner.execute("INSERT INTO t VALUES (?)", (10 * value,))
        raise KeyError(value)


async def test_a_transaction_commits_all_changes_or_none(db):
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO t VALUES (1)")
        await tx.execute_many("INSERT INTO t VALUES (?)", [(2,), (3,)])
        assert (await tx.get("SELECT count(*) FROM t"))[0] == 3
        assert await values(db) == []
    assert await values(db) == [1, 2, 3]
    with pytest.raises(KeyError):
        await insert_and_fail(db.transaction(), 4)
    assert await values(db) == [1, 2, 3]


async def test_nested_transactions_roll_back_separately(db):
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(KeyError):
            await insert_and_fail(db.transaction(), 2)
        async with tx.transaction() as inner:
            await inner.execute("INSERT INTO t VALUES (4)")
            with pytest.raises(TransactionNestedError):
                await tx.execute("INSERT INTO t VALUES (5)")
    assert await values(db) == [1, 4]


async def test_nested_transactions_of_several_tasks_run_one_after_another(db):
    async def add(tx, value, failing):
        async with tx.transaction() as inner:
            await inner.execute("INSERT INTO t VALUES (?)", (value,))
            await asyncio.sleep(0)
            if failing:
                raise KeyError(value)

    async with db.transaction() as tx:
        results = await asyncio.gather(*(add(tx, n, n % 2) for n in range(10)), return_exceptions=True)
        assert [isinstance(result, KeyError) for result in results] == [bool(n % 2) for n in range(10)]
    assert await values(db) == [0, 2, 4, 6, 8]


async def test_a_rollback_in_one_task_keeps_the_work_of_other_tasks(db):
    async def work(value):
        async with db.transaction() as tx:
            await tx.execute("INSERT INTO t VALUES (?)", (value,))
            await asyncio.sleep(0)
            if value % 3 == 0:
                raise KeyError(value)

    async def single(value):
        await db.execute("INSERT INTO t VALUES (?)", (value,))

    tasks = [work(n) for n in range(30)] + [single(n) for n in range(100, 130)]
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await values(db) == [n for n in range(30) if n % 3] + list(range(100, 130))


async def test_statements_cannot_end_the_transaction(db):
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO t VALUES (1)")
        for sql in ("COMMIT", "ROLLBACK", "BEGIN"):
            with pytest.raises(TransactionControlError):
                await tx.execute(sql)
    assert await values(db) == [1]


async def test_a_finished_transaction_accepts_no_statements(db):
    async with db.transaction() as tx:
        orphan = tx.transaction()
    for use in (tx.execute("SELECT 1"), orphan.__aenter__(), tx.__aenter__()):
        with pytest.raises(TransactionOverError):
            await use
    with pytest.raises(TransactionOverError):
        await db.transaction().execute("SELECT 1")
    assert lock_is_free(db)


async def test_a_failed_commit_is_rolled_back(db):
    await db.execute("CREATE TABLE p (id INTEGER PRIMARY KEY)")
    await db.execute("CREATE TABLE c (p REFERENCES p DEFERRABLE INITIALLY DEFERRED)")
    tx = await db.transaction().__aenter__()
    await tx.execute("INSERT INTO t VALUES (1)")
    await tx.execute("INSERT INTO c VALUES (9)")
    with pytest.raises(sqlite3.IntegrityError):
        await tx.__aexit__(None, None, None)
    assert await values(db) == []
    assert lock_is_free(db)


async def test_no_later_statement_commits_after_sqlite_rolled_back(db):
    def insert_and_ignore(connection):
        connection.execute("INSERT INTO t VALUES (1)")
        with contextlib.suppress(sqlite3.IntegrityError):
            connection.execute("INSERT OR ROLLBACK INTO filled VALUES (NULL)")
        connection.execute("INSERT INTO t VALUES (2)")

    await db.execute("CREATE TABLE filled (x NOT NULL)")
    with pytest.raises(TransactionOverError):
        await db.run(insert_and_ignore)
    tx = await db.transaction().__aenter__()
    await tx.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(sqlite3.IntegrityError):
        await tx.execute("INSERT OR ROLLBACK INTO filled VALUES (NULL)")
    with pytest.raises(TransactionOverError):
        await tx.execute("INSERT INTO t VALUES (2)")
    with pytest.raises(TransactionOverError):
        await tx.__aexit__(None, None, None)
    assert await values(db) == []
    assert lock_is_free(db)


async def test_a_child_task_cannot_join_the_next_transaction(db):
    entered = asyncio.Event()
    go_on = asyncio.Event()

    async def child(tx):
        async with tx.transaction() as inner:
            entered.set()
            await go_on.wait()
            await inner.execute("INSERT INTO t VALUES (13)")

    async def leave_child_behind():
        async with db.transaction() as tx:
            tasks.append(asyncio.create_task(child(tx)))
            await entered.wait()
            raise KeyError

    tasks = []
    with pytest.raises(KeyError):
        await leave_child_behind()
    async with db.transaction() as tx:
        go_on.set()
        await asyncio.wait(tasks)
        await tx.execute("INSERT INTO t VALUES (1)")
    assert isinstance(tasks[0].exception(), TransactionOverError)
    assert await values(db) == [1]


async def spend(db, progress):
    async with db.transaction() as tx:
        progress.append("begun")
        await tx.execute("INSERT INTO t VALUES (1)")
        async with tx.transaction() as inner:
            await inner.execute("INSERT INTO t VALUES (2)")
        await tx.execute("INSERT INTO t VALUES (3)")
        progress.append("to commit")


async def test_cancellation_at_any_await_releases_the_lock(db):
    outcomes = set()
    for attempt in range(200):
        progress = []
        task = asyncio.create_task(spend(db, progress))
        # After a growing number of loop iterations, so that the cancellation hits every await.
        for _ in range(attempt // 2):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert lock_is_free(db)
        found = await values(db)
        assert found in ([], [1, 2, 3])
        if "to commit" not in progress:
            assert found == []
        outcomes.add((tuple(progress), len(found), task.cancelled()))
        await db.execute("DELETE FROM t")
    assert ((), 0, True) in outcomes
    assert (("begun",), 0, True) in outcomes


class CancelledAt:
    """Awaits a coroutine and cancels the task at its n-th suspension."""

    def __init__(self, at, coroutine):
        self.at = at
        self.suspensions = 0
        self.coroutine = coroutine

    def __await__(self):
        step = self.coroutine.send
        argument = None
        while True:
            try:
                future = step(argument)
            except StopIteration:
                return
            self.suspensions += 1
            if self.suspensions == self.at:
                asyncio.current_task().cancel()
            try:
                step, argument = self.coroutine.send, (yield future)
            except BaseException as error:
                step, argument = self.coroutine.throw, error


async def drive(steps):
    await steps


async def test_cancellation_at_each_await_in_turn_releases_the_lock(db):
    suspensions = 7  # begin, insert, savepoint, insert, release, insert, commit
    for at in range(1, suspensions + 2):
        steps = CancelledAt(at, spend(db, []))
        task = asyncio.create_task(drive(steps))
        await asyncio.wait([task])
        assert lock_is_free(db)
        assert task.cancelled() == (at <= suspensions)
        assert await values(db) == ([] if at < suspensions else [1, 2, 3])
        await db.execute("DELETE FROM t")
    assert steps.suspensions == suspensions


async def test_a_cancelled_wait_for_the_writer_admits_the_next_task(db):
    async def hold(entered, leave):
        async with db.transaction():
            entered.set()
            await leave.wait()

    entered, leave = asyncio.Event(), asyncio.Event()
    holder = asyncio.create_task(hold(entered, leave))
    await entered.wait()
    waiting = [asyncio.create_task(hold(asyncio.Event(), leave)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    leave.set()
    # The lock is granted and the task cancelled in the same iteration of the loop.
    await holder
    waiting[1].cancel()
    await asyncio.wait(waiting)
    await db.execute("INSERT INTO t VALUES (1)")
    assert lock_is_free(db)
