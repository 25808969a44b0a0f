import asyncio
import sqlite3

import pytest

from tetherpy.database import Database, DatabaseClosedError
from tetherpy.database.sqlite.changes.table_versions import HIDDEN_WRITER_SECONDS


@pytest.fixture
async def db(tmp_path, no_hidden_writer):
    async with Database.open(tmp_path / "app.db", safety_interval=None) as db:
        await db.execute("CREATE TABLE a (x)")
        await db.execute("CREATE TABLE b (x)")
        yield db


class Heard:
    """Records its calls, and lets a test wait for them."""

    def __init__(self):
        self.values = []
        self.changed = asyncio.Event()

    def __call__(self, value):
        self.values.append(value)
        self.changed.set()

    async def until(self, condition):
        async with asyncio.timeout(25):
            while not condition(self.values):
                self.changed.clear()
                await self.changed.wait()
        return self.values


async def settle(db):
    """Wait until all earlier commits are reported."""
    await db._feed.caught_up()


async def test_a_commit_names_the_tables_it_changed(db):
    heard = Heard()
    remove = db.on_change(heard)
    await settle(db)
    heard.values.clear()
    await db.execute("INSERT INTO a VALUES (1)")
    await heard.until(bool)
    assert heard.values == [frozenset({"a"})]
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO b VALUES (1)")
        await tx.execute("UPDATE a SET x = 2")
    await heard.until(lambda values: len(values) == 2)
    assert heard.values[1] == {"a", "b"}
    remove()
    remove()
    await db.execute("INSERT INTO a VALUES (1)")
    await settle(db)
    assert len(heard.values) == 2


async def test_a_commit_without_changes_is_not_reported(db):
    heard = Heard()
    db.on_change(heard)
    await settle(db)
    heard.values.clear()
    await db.execute("UPDATE a SET x = 1")
    await db.execute("SELECT * FROM a")
    undone = await db.transaction().__aenter__()
    await undone.execute("INSERT INTO a VALUES (1)")
    await undone.__aexit__(KeyError, KeyError(), None)
    with pytest.raises(sqlite3.OperationalError):
        await db.execute("INSERT INTO missing VALUES (1)")
    await settle(db)
    assert heard.values == []
    assert (await db.get("SELECT count(*) FROM tetherpy_changes WHERE table_name = 'a'"))[0] == 0


async def test_a_returning_statement_is_reported_if_it_changed_rows(db):
    heard = Heard()
    db.on_change(heard)
    await settle(db)
    heard.values.clear()
    assert (await db.execute("UPDATE a SET x = 2 RETURNING x")).rows == []
    await settle(db)
    assert heard.values == []
    await db.execute("INSERT INTO a VALUES (1) RETURNING x")
    await settle(db)
    assert heard.values == [{"a"}]
    # Neither fetched to the end nor closed.
    await db.run(lambda c: c.execute("INSERT INTO b VALUES (1), (2) RETURNING x").fetchone() and None)
    await settle(db)
    assert heard.values == [{"a"}, {"b"}]


@pytest.mark.parametrize(
    ("setup", "sql", "tables"),
    [
        (
            ["CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; END"],
            "INSERT INTO a VALUES (1)",
            {"a", "b"},
        ),
        (
            [
                "CREATE TABLE p (id INTEGER PRIMARY KEY)",
                "CREATE TABLE c (p REFERENCES p ON DELETE CASCADE)",
                "INSERT INTO p VALUES (1)",
                "INSERT INTO c VALUES (1)",
            ],
            "DELETE FROM p",
            {"p", "c"},
        ),
        (
            [
                "CREATE VIEW v AS SELECT x FROM a",
                "CREATE TRIGGER i INSTEAD OF INSERT ON v BEGIN INSERT INTO a VALUES (new.x); END",
            ],
            "INSERT INTO v VALUES (1)",
            {"v", "a"},
        ),
        (["INSERT INTO a VALUES (1)"], "REPLACE INTO b SELECT x FROM a", {"b"}),
        ([], "CREATE TABLE n (x)", {"sqlite_master"}),
        ([], "DROP TABLE b", {"sqlite_master"}),
        ([], "ALTER TABLE b ADD COLUMN y", {"sqlite_master"}),
    ],
)
async def test_sqlite_reports_the_changed_tables(db, setup, sql, tables):
    for statement in setup:
        await db.execute(statement)
    heard = Heard()
    db.on_change(heard)
    await settle(db)
    heard.values.clear()
    await db.execute(sql)
    await settle(db)
    assert len(heard.values) == 1
    assert heard.values[0] >= tables
    assert "a" in tables or "a" not in heard.values[0]


async def test_a_new_trigger_applies_to_statements_compiled_earlier(db):
    heard = Heard()
    db.on_change(heard)
    await db.execute("INSERT INTO a VALUES (1)")
    await db.execute("CREATE TRIGGER t AFTER INSERT ON a BEGIN INSERT INTO b VALUES (1); END")
    await settle(db)
    heard.values.clear()
    await db.execute("INSERT INTO a VALUES (1)")
    await settle(db)
    assert heard.values == [{"a", "b"}]


async def test_tables_of_many_different_statements_are_tracked(db):
    heard = Heard()
    db.on_change(heard)
    for round_ in range(2):
        for n in range(1100):
            await db.run(lambda connection, n=n: connection.execute(f"INSERT INTO a VALUES ({n})"))
        await settle(db)
        heard.values.clear()
        await db.execute(f"INSERT INTO a VALUES ({1099 - round_})")
        await settle(db)
        assert heard.values == [{"a"}]


async def test_a_write_through_a_blob_handle_is_a_change(db):
    await db.execute("INSERT INTO a VALUES (zeroblob(3))")
    heard = Heard()
    db.on_change(heard)
    await settle(db)
    heard.values.clear()

    def write(connection):
        with connection.blobopen("a", "x", 1) as blob:
            blob.write(b"abc")

    await db.run(write)
    await settle(db)
    assert heard.values == [{"a"}]


async def test_a_commit_of_another_program_may_change_any_table(db):
    heard = Heard()
    db.on_change(heard)
    await settle(db)
    heard.values.clear()
    other = sqlite3.connect(db.path, isolation_level=None)
    other.execute("INSERT INTO b VALUES (1)")
    other.close()
    await settle(db)
    assert len(heard.values) == 1
    assert {"a", "b"} <= heard.values[0]


async def test_a_hidden_commit_of_another_program_is_reported_within_the_interval(tmp_path):
    async with Database.open(tmp_path / "app.db", safety_interval=0.05) as db:
        await db.execute("CREATE TABLE a (x)")
        await db.execute("CREATE TABLE b (x)")
        await db._feed._reader.call(db._feed._versions.start)
        other = sqlite3.connect(db.path, isolation_level=None)
        other.execute("INSERT INTO b VALUES (1)")
        other.close()
        await db.execute("INSERT INTO a VALUES (1)")
        heard = Heard()
        started = asyncio.get_running_loop().time()
        db.on_change(heard)
        await heard.until(lambda values: any("b" in tables for tables in values))
        assert heard.values[0] == {"a"}
        assert asyncio.get_running_loop().time() - started >= HIDDEN_WRITER_SECONDS * 0.9


async def test_an_error_in_a_listener_is_reported_and_affects_no_other_listener(db):
    reported = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
    heard = Heard()

    def fail(tables):
        raise KeyError(tables)

    db.on_change(fail)
    db.on_change(heard)
    await db.execute("INSERT INTO a VALUES (1)")
    await heard.until(bool)
    assert isinstance(reported[0]["exception"], KeyError)


async def test_changes_are_an_observable_that_completes(tmp_path):
    heard = Heard()
    completed = []
    async with Database.open(tmp_path / "app.db") as db:
        await db.execute("CREATE TABLE a (x)")
        db.changes.subscribe(heard, on_completed=lambda: completed.append(True))
        await heard.until(bool)
        assert completed == []
    assert completed == [True]


def numbers(rows):
    return [row["x"] for row in rows]


async def test_watch_emits_the_present_rows_and_again_after_each_change(db):
    await db.execute("INSERT INTO a VALUES (1)")
    heard = Heard()
    subscription = db.watch("SELECT x FROM a WHERE x > ? ORDER BY x", (0,), throttle=0).subscribe(heard)
    await heard.until(bool)
    await db.execute("INSERT INTO b VALUES (9)")
    await db.execute("INSERT INTO a VALUES (2)")
    await heard.until(lambda values: len(values) == 2)
    await db.execute("INSERT INTO a VALUES (-1)")
    await db.execute("INSERT INTO a VALUES (3)")
    await heard.until(lambda values: numbers(values[-1]) == [1, 2, 3])
    assert [numbers(rows) for rows in heard.values] == [[1], [1, 2], [1, 2, 3]]
    subscription.dispose()
    assert db._live_queries == {}
    assert db._feed._listeners  # until the task of the query has ended
    await asyncio.sleep(0)
    assert not db._feed._listeners


async def test_watch_supports_views_counts_and_the_schema(db):
    await db.execute("CREATE VIEW v AS SELECT count(*) AS x FROM a")
    heard = Heard()
    db.watch("SELECT x FROM v", throttle=0).subscribe(heard)
    await heard.until(bool)
    await db.execute("INSERT INTO a VALUES (1)")
    await heard.until(lambda values: numbers(values[-1]) == [1])
    await db.run(lambda c: (c.execute("DROP VIEW v"), c.execute("CREATE VIEW v AS SELECT count(*) + 10 AS x FROM b")))
    await heard.until(lambda values: numbers(values[-1]) == [10])
    await db.execute("INSERT INTO b VALUES (1)")
    await heard.until(lambda values: numbers(values[-1]) == [11])


async def test_subscribers_of_one_query_share_it(db):
    first, second, others = Heard(), Heard(), Heard()
    watched = db.watch("SELECT x FROM a", throttle=0)
    watched.subscribe(first)
    await first.until(bool)
    await db.execute("INSERT INTO a VALUES (1)")
    db.watch("SELECT x FROM a", throttle=0).subscribe(second)
    await second.until(bool)
    assert numbers(second.values[0]) == [1]
    await first.until(lambda values: numbers(values[-1]) == [1])
    assert len(db._live_queries) == 1
    for _ in range(20):
        watched.subscribe(others)
    await others.until(lambda values: len(values) == 20)
    await settle(db)
    hops = db._reader.hops
    await db.execute("INSERT INTO a VALUES (2)")
    await first.until(lambda values: numbers(values[-1]) == [1, 2])
    assert db._reader.hops - hops <= 4  # polls and one query, not 22
    assert len(first.values) == 3


async def test_parameters_that_differ_only_for_sqlite_are_separate_queries(db):
    kinds = []
    for value in (1, 1.0, "1", b"1", bytearray(b"1")):
        heard = Heard()
        db.watch("SELECT typeof(?) AS kind", (value,)).subscribe(heard)
        kinds.append((await heard.until(bool))[0][0]["kind"])
    assert kinds == ["integer", "real", "text", "blob", "blob"]


async def test_a_subscriber_may_unsubscribe_while_it_is_called(db):
    from reactivex import operators as ops

    heard = Heard()
    db.watch("SELECT x FROM a", throttle=0).pipe(ops.take(1)).subscribe(heard)
    await heard.until(bool)
    for _ in range(5):
        await asyncio.sleep(0)
    assert db._live_queries == {}
    assert not db._feed._listeners
    await db.execute("INSERT INTO a VALUES (1)")
    await settle(db)
    assert len(heard.values) == 1


async def test_a_query_error_reaches_its_subscribers(db):
    failures = Heard()
    db.watch("SELECT * FROM missing").subscribe(on_error=failures)
    await failures.until(bool)
    assert isinstance(failures.values[0], sqlite3.OperationalError)
    rows, failures = Heard(), Heard()
    db.watch("SELECT x FROM a").subscribe(rows, failures)
    await rows.until(bool)
    await db.execute("DROP TABLE a")
    await failures.until(bool)
    assert db._live_queries == {}


async def test_a_burst_of_commits_runs_few_queries_and_ends_with_the_last_value(db):
    heard = Heard()
    db.watch("SELECT count(*) AS x FROM a", throttle=0.05).subscribe(heard)
    await heard.until(bool)
    for n in range(300):
        await db.execute("INSERT INTO a VALUES (?)", (n,))
    await heard.until(lambda values: numbers(values[-1]) == [300])
    assert len(heard.values) < 300


async def test_watching_completes_when_the_database_closes(tmp_path):
    completed = []
    async with Database.open(tmp_path / "app.db") as db:
        heard = Heard()
        db.watch("SELECT 1").subscribe(heard, on_completed=lambda: completed.append(True))
        await heard.until(bool)
    assert completed == [True]


async def test_without_listeners_commits_cost_nothing_extra(db):
    remove = db.on_change(print)
    await settle(db)
    remove()
    hops = db._reader.hops
    for n in range(10):
        await db.execute("INSERT INTO a VALUES (?)", (n,))
    await asyncio.sleep(0)
    assert db._reader.hops == hops
    assert (db._feed._watcher, db._feed._timer) == (None, None)


async def test_listening_causes_no_wake_up_while_nothing_changes(db):
    heard = Heard()
    db.watch("SELECT x FROM a").subscribe(heard)
    db.on_change(print)
    await heard.until(bool)
    await settle(db)
    loop = asyncio.get_running_loop()
    assert [timer for timer in loop._scheduled if not timer.cancelled()] == []
    assert len(loop._ready) == 0
    assert db._feed._polling is None


async def test_two_database_objects_on_one_file_see_each_others_changes(db):
    async with Database.open(db.path, safety_interval=None) as other:
        heard = Heard()
        other.watch("SELECT x FROM a", throttle=0).subscribe(heard)
        await heard.until(bool)
        await db.execute("INSERT INTO a VALUES (1)")
        await heard.until(lambda values: numbers(values[-1]) == [1])


async def test_watching_a_closed_database_is_an_error_of_the_subscription(tmp_path):
    db = await Database.open(tmp_path / "app.db")
    watched = db.watch("SELECT 1")
    await db.aclose()
    failures = Heard()
    watched.subscribe(on_error=failures)
    db.changes.subscribe(on_error=failures)
    await failures.until(lambda values: len(values) == 2)
    assert {type(failure) for failure in failures.values} == {DatabaseClosedError}
    with pytest.raises(DatabaseClosedError):
        await settle(db)


async def test_executemany_on_the_connection_is_reported(db):
    heard = Heard()
    db.on_change(heard)
    await settle(db)
    heard.values.clear()
    await db.run(lambda connection: connection.executemany("INSERT INTO a VALUES (?)", [(1,), (2,)]) and None)
    await heard.until(bool)
    assert heard.values == [frozenset({"a"})]


async def test_the_first_use_of_a_table_valued_function_is_not_a_schema_change(db):
    heard = Heard()
    db.on_change(heard)
    await settle(db)
    heard.values.clear()
    await db.run(lambda c: c.execute("INSERT INTO a SELECT value FROM json_each('[1, 2]')") and None)
    await heard.until(lambda values: values)  # or both would be reported together
    await db.run(lambda c: c.execute("-- a comment\n CREATE TABLE c (x)") and None)
    await heard.until(lambda values: len(values) == 2)
    assert heard.values == [frozenset({"a"}), frozenset({"sqlite_master"})]
