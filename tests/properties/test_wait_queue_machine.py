"""Queues of waiting tasks that are cancelled at any time, including the turn of their release."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tetherpy.database import Database, DatabaseClosedError
from tetherpy.wait_queue import WaitQueue


class Refusal(Exception):
    pass


class HandedOn(RuleBasedStateMachine):
    """An object that one task holds at a time, passed to the task that has waited longest."""

    @initialize()
    def begin(self):
        self.loop = asyncio.new_event_loop()
        self.queue = WaitQueue(self.hand_on)
        self.free = True
        self.holders = []
        self.tasks = []
        self.arrived = []
        self.served = []

    def teardown(self):
        if not hasattr(self, "loop"):
            return
        try:
            for _ in range(3 * len(self.tasks) + 3):  # a task starts, is released and resumes
                self.turn()
                for number in tuple(self.holders):
                    self.dispose_when_unused(number)
            assert all(task.done() for task in self.tasks)
            assert self.free
            for task in self.tasks:
                error = None if task.cancelled() else task.exception()
                assert error is None or isinstance(error, Refusal)
            assert self.queue.take_all() == []
        finally:
            self.loop.close()

    def hand_on(self):
        if self.free and (waiter := self.queue.take()) is not None:
            self.free = False
            assert waiter.answer(waiter.wish)

    def dispose_when_unused(self, number):
        self.holders.remove(number)
        self.free = True
        self.hand_on()

    async def work(self, number):
        self.arrived.append(number)
        held = await self.queue.wait(number, unclaimed=lambda _: self.pass_on())
        assert held == number
        self.holders.append(number)
        self.served.append(number)

    def pass_on(self):
        self.free = True
        self.hand_on()

    @rule()
    def turn(self):
        self.loop.run_until_complete(asyncio.sleep(0))

    @rule()
    def arrive(self):
        self.tasks.append(self.loop.create_task(self.work(len(self.tasks))))

    @rule(data=st.data())
    def cancel(self, data):
        if self.tasks:
            self.tasks[data.draw(st.integers(0, len(self.tasks) - 1))].cancel()

    @precondition(lambda self: self.holders)
    @rule()
    def release(self):
        self.dispose_when_unused(self.holders[0])

    @precondition(lambda self: self.holders)
    @rule(data=st.data())
    def cancel_and_release_in_one_turn(self, data):
        self.cancel(data)
        self.release()

    @rule()
    def refuse(self):
        for waiter in self.queue.take_all():
            assert waiter.fail(Refusal())

    @invariant()
    def one_holder_in_the_order_of_arrival(self):
        if hasattr(self, "loop"):
            assert len(self.holders) <= 1
            assert self.served == [number for number in self.arrived if number in self.served]


HandedOn.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_what_is_handed_on_is_never_lost_and_never_held_twice = HandedOn.TestCase


async def test_leaving_a_long_queue_costs_the_same_at_any_position():
    queue = WaitQueue()
    tasks = [asyncio.create_task(queue.wait(number)) for number in range(5_000)]
    await asyncio.sleep(0)
    for task in reversed(tasks):
        task.cancel()
    await asyncio.wait(tasks)
    assert queue.first() is None


waits = st.tuples(st.sampled_from(["transaction", "nested", "execute", "run_unless", "caught_up"]), st.integers(0, 30))


@settings(max_examples=8, deadline=None)
@given(st.lists(waits, min_size=60, max_size=60))
def test_cancelled_tasks_never_block_the_writer(program):
    async def write(db, kind, number):
        sql = "INSERT INTO t VALUES (?)"
        match kind:
            case "transaction":
                async with db.transaction() as tx:
                    await tx.execute(sql, (number,))
            case "nested":
                async with db.transaction() as tx, tx.transaction() as inner:
                    await inner.execute(sql, (number,))
            case "execute":
                await db.execute(sql, (number,))
            case "run_unless":
                await db.run_unless(lambda _: None, lambda c: c.execute(sql, (number,)))
            case _:
                await db._feed.caught_up()

    async def bounded(db, kind, number, milliseconds):
        try:
            async with asyncio.timeout(milliseconds / 5_000):
                await write(db, kind, number)
        except TimeoutError:
            return None
        return number

    async def run(path):
        async with Database.open(path, safety_interval=None) as db:
            await db.execute("CREATE TABLE t (x)")
            done = await asyncio.gather(*(bounded(db, kind, number, n) for number, (kind, n) in enumerate(program)))
            async with asyncio.timeout(25):
                await db.execute("INSERT INTO t VALUES (-1)")
            there = {row["x"] for row in await db.get_all("SELECT x FROM t")}
            reported = {number for number in done if number is not None and program[number][0] != "caught_up"}
            assert reported <= there

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder) / "app.db"))


async def test_a_waiter_cancelled_in_the_turn_of_its_release_leaves_the_queue_consistent(tmp_path):
    async with Database.open(tmp_path / "app.db") as db:
        writer = db._writer
        await writer.acquire("holder")
        waiters = [asyncio.create_task(writer.acquire(number)) for number in range(3)]
        operation = asyncio.create_task(db.execute("CREATE TABLE t (x)"))
        await asyncio.sleep(0)
        waiters[0].cancel()
        writer.release()  # like the end of a transaction
        waiters[1].cancel()  # it was released and has not resumed
        await asyncio.wait(waiters[:2])
        async with asyncio.timeout(25):
            await waiters[2]
            writer.release()
            await operation


async def test_waiters_are_notified_of_the_close(tmp_path):
    db = await Database.open(tmp_path / "app.db")
    await db._writer.acquire("holder")
    waiting = [asyncio.create_task(db.execute("SELECT 1")), asyncio.create_task(db._feed.caught_up())]
    await asyncio.sleep(0)
    await db.aclose()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in results] == [DatabaseClosedError, DatabaseClosedError]
    with pytest.raises(DatabaseClosedError):
        await db.execute("SELECT 1")
