"""Any program of statements and transactions, against a model in plain Python."""

import asyncio
import os
import sqlite3
import tempfile
from pathlib import Path

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from tetherpy.database import Database

LONG = bool(os.environ.get("TETHERPY_FUZZ"))

SCHEMA = """
CREATE TABLE a (id INTEGER PRIMARY KEY, x UNIQUE);
CREATE TABLE b (id INTEGER PRIMARY KEY, x, a REFERENCES a ON DELETE CASCADE);
CREATE TABLE c (x);
CREATE TABLE log (x);
CREATE VIEW v AS SELECT x FROM c;
CREATE TRIGGER into_view INSTEAD OF INSERT ON v BEGIN INSERT INTO c VALUES (new.x); END;
CREATE TRIGGER logged AFTER UPDATE ON c WHEN new.x > 3 BEGIN INSERT INTO log VALUES (new.x); END;
"""
TABLES = ("a", "b", "c", "log")
STATEMENTS = (
    "INSERT INTO a (x) VALUES (?1)",
    "INSERT OR IGNORE INTO a (x) VALUES (?1)",
    "INSERT OR FAIL INTO a (x) VALUES (100 + ?1), (?1), (200 + ?1)",
    "REPLACE INTO a (x) VALUES (?1)",
    "INSERT INTO a (x) VALUES (?1) ON CONFLICT DO UPDATE SET x = x + 50",
    "DELETE FROM a WHERE x = ?1",
    "DELETE FROM a",
    "INSERT INTO b (x, a) SELECT ?1, id FROM a",
    "UPDATE b SET x = ?1 WHERE x > ?1",
    "INSERT INTO v VALUES (?1)",
    "UPDATE c SET x = ?1",
    "INSERT INTO log SELECT x FROM c WHERE x = ?1 RETURNING x",
    "WITH few AS (SELECT x FROM a LIMIT 2) INSERT INTO log SELECT x FROM few WHERE ?1 > 0",
)
statement = st.tuples(st.sampled_from(STATEMENTS), st.integers(0, 6))


def contents(connection):
    return {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}


@settings(max_examples=1_000 if LONG else 25, deadline=None)
@given(st.lists(st.lists(statement, min_size=1, max_size=3), max_size=12))
def test_no_changed_table_is_omitted_from_a_report(transactions):
    async def run(path):
        named = set()
        async with Database.open(path, safety_interval=None) as db:
            await db.run(lambda c: [c.execute(s) for s in split(SCHEMA)])
            await db._feed._reader.call(db._feed._versions.start)
            db.on_change(named.update)
            before = await db.read(contents)
            for statements in transactions:
                named.clear()
                await asyncio.gather(*(db.execute(sql, (value,)) for sql, value in statements), return_exceptions=True)
                await db._feed.caught_up()
                after = await db.read(contents)
                changed = {table for table in TABLES if before[table] != after[table]}
                assert changed <= named
                before = after

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder) / "app.db"))


def split(script):
    parts, statement = [], ""
    for line in script.strip().splitlines():
        statement += line
        if sqlite3.complete_statement(statement):
            parts.append(statement)
            statement = ""
    return parts


@attrs.frozen
class Block:
    """A transaction: values to insert and nested transactions, in order, and whether it fails at the end."""

    steps: list["int | Block"]
    fails: bool


blocks = st.recursive(
    st.builds(Block, st.lists(st.integers(0, 9), max_size=3), st.booleans()),
    lambda inner: st.builds(Block, st.lists(st.integers(0, 9) | inner, max_size=4), st.booleans()),
    max_leaves=6,
)


class Undone(Exception):
    """What a failing block raises."""


def kept(block, task):
    if block.fails:
        return []
    values = []
    for step in block.steps:
        values += kept(step, task) if isinstance(step, Block) else [(task, step)]
    return values


async def execute(open_transaction, block, task):
    async with open_transaction() as tx:
        for step in block.steps:
            if isinstance(step, Block):
                try:
                    await execute(tx.transaction, step, task)
                except Undone:
                    continue
            else:
                await tx.execute("INSERT INTO t VALUES (?, ?)", (task, step))
        if block.fails:
            raise Undone


@settings(max_examples=1_000 if LONG else 25, deadline=None)
@given(st.lists(blocks, max_size=4), st.lists(st.integers(0, 9), max_size=6))
def test_a_rollback_undoes_the_work_of_its_task_and_nothing_else(programs, singles):
    async def run(path):
        async with Database.open(path) as db:
            await db.execute("CREATE TABLE t (task, x)")
            await asyncio.gather(
                *(execute(db.transaction, block, task) for task, block in enumerate(programs)),
                *(db.execute("INSERT INTO t VALUES (-1, ?)", (value,)) for value in singles),
                return_exceptions=True,
            )
            expected = [row for task, block in enumerate(programs) for row in kept(block, task)]
            expected += [(-1, value) for value in singles]
            rows = await db.get_all("SELECT task, x FROM t")
            assert sorted(tuple(row) for row in rows) == sorted(expected)
            # Within a task the order is kept too.
            for task, block in enumerate(programs):
                assert [tuple(row) for row in rows if row["task"] == task] == kept(block, task)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder) / "app.db"))
