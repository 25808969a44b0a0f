"""Copying jobs from a file to a server: idempotent, resumable, and compared row by row."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.support.job_options import every_option
from tetherpy.jobs import (
    Ack,
    BackgroundJobStatus,
    Cancelled,
    Completed,
    CopyDiffersError,
    CopyRefusedError,
    EngineLimitError,
    Failed,
    JobQuery,
    NewJob,
    Snoozed,
    WorkerRecord,
    copy_jobs,
    engine_of,
    open_database,
    open_engine,
)
from tetherpy.service import BackgroundService


@pytest.fixture
async def source(tmp_path):
    """A file with jobs in every state, attempts of every kind, a gap in the ids and a tick."""
    path = tmp_path / "app.db"
    async with open_engine(path) as engine:
        ids = await engine.enqueue([NewJob(job_key="k", payload={"n": n}, priority=-n) for n in range(900)])
        await engine.enqueue(
            [
                NewJob(job_key="later", **every_option() | {"unique_key": "once"}),
                NewJob(job_key="nul", payload="a\0b", meta={"tenant": "7\u2028"}),
            ]
        )
        claims = (await engine.ack_and_fetch("w", [], 40)).claims
        now = datetime.now(UTC)
        outcomes = [
            Completed('{"a":1}'), Failed("E: nul\0 here", "trace\0back"), Failed("E: again", "trace", now),
            Snoozed(now + timedelta(hours=1)), Cancelled("enough"),
        ]  # fmt: skip
        ends = [Ack(claim, outcomes[number % 5]) for number, claim in enumerate(claims[:30])]
        await engine.ack_and_fetch("w", ends, 0)
        await engine.request_cancel(claims[31].id)
        await engine.delete(ids[-1])
        await engine.delete(ids[500])
        await engine.enqueue_tick("nightly", now, NewJob(job_key="cleanup"))
    return path


async def both(source, url):
    async with open_engine(source) as here, open_engine(url) as there:
        query = JobQuery(limit=None, order_by_creation="ASC")
        old, new = await here.find(query), await there.find(query)
        histories = [(await here.attempts(job.id), await there.attempts(job.id)) for job in old[:45]]
        counts = await here.counts(), await there.counts()
    return old, new, histories, counts


async def test_jobs_attempts_and_counts_are_equal_and_ids_continue(source, postgres_url):
    report = await copy_jobs(source, postgres_url)
    old, new, histories, counts = await both(source, postgres_url)
    assert report.jobs == report.written == len(old) == len(new)
    for before, after in zip(old, new, strict=True):
        if before.last_error is None or "\0" not in before.last_error:
            assert before == after
        else:
            assert after.last_error == before.last_error.replace("\0", "\\x00")
    for before, after in histories:
        assert [(a.attempt, a.outcome, a.started_at) for a in before] == [
            (a.attempt, a.outcome, a.started_at) for a in after
        ]
    assert counts[0] == counts[1]
    async with open_engine(postgres_url) as engine:
        assert await engine.enqueue([NewJob(job_key="new")]) == [old[-1].id + 1]
        (taken,) = await engine.enqueue([NewJob(job_key="later", unique_key="once")])
        assert taken in {job.id for job in old}
        first = (await engine.ack_and_fetch("w", [], 1)).claims[0]
        assert (first.job.job_key, first.job.priority) == ("cleanup", 0)


async def test_a_tick_enqueued_before_the_copy_is_not_repeated(tmp_path, postgres_url):
    tick, job = datetime(2030, 1, 1, tzinfo=UTC), NewJob(job_key="cleanup")
    async with open_engine(tmp_path / "app.db") as engine:
        assert await engine.enqueue_tick("nightly", tick, job)
    await copy_jobs(tmp_path / "app.db", postgres_url)
    async with open_engine(postgres_url) as engine:
        assert await engine.enqueue_tick("nightly", tick, job) is None
        assert await engine.enqueue_tick("nightly", tick + timedelta(days=1), job)


async def test_a_second_copy_writes_nothing_and_finds_both_equal(source, postgres_url):
    first = await copy_jobs(source, postgres_url)
    again = await copy_jobs(source, postgres_url)
    assert again.written == 0
    assert (again.jobs, again.attempts, again.digest) == (first.jobs, first.attempts, first.digest)


SCRIPT = """
import asyncio, os, signal, sys
from tetherpy.jobs import copy_jobs

def stop_after(progress):
    print(progress.done, flush=True)
    if progress.done >= 400:
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(copy_jobs(sys.argv[1], sys.argv[2], on_progress=stop_after))
"""


async def test_a_killed_copy_continues_and_ends_equal(source, postgres_url):
    killed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", SCRIPT, str(source), postgres_url],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    report = await copy_jobs(source, postgres_url)
    assert 0 < report.written <= report.jobs - 400
    old, new, _, counts = await both(source, postgres_url)
    assert [job.id for job in old] == [job.id for job in new]
    assert counts[0] == counts[1]


async def test_changes_of_the_source_between_two_runs_are_copied(source, postgres_url):
    class Interrupted(Exception):
        pass

    def stop(progress):
        raise Interrupted

    with pytest.raises(Interrupted):
        await copy_jobs(source, postgres_url, on_progress=stop)
    async with open_engine(source) as engine:
        await engine.request_cancel(99)
        await engine.delete(100)
    await copy_jobs(source, postgres_url)
    old, new, _, _ = await both(source, postgres_url)
    assert [job.id for job in old] == [job.id for job in new]


async def test_a_target_that_is_in_use_or_has_other_jobs_is_refused(source, postgres_url):
    now = datetime.now(UTC)
    async with open_engine(postgres_url) as engine:
        await engine.register_worker(WorkerRecord(id="w", pid=1, host="h", started_at=now, heartbeat_at=now))
        with pytest.raises(CopyRefusedError, match="1 worker still uses the target"):
            await copy_jobs(source, postgres_url)
        await engine.unregister_worker("w")
        await engine.enqueue([NewJob(job_key="theirs")])
        with pytest.raises(CopyRefusedError, match="jobs of its own"):
            await copy_jobs(source, postgres_url)
        assert (await engine.counts()).total == 1


async def test_a_copy_that_was_used_is_detected_and_not_overwritten(source, postgres_url):
    await copy_jobs(source, postgres_url)
    async with open_database(postgres_url) as db:
        engine = engine_of(db)
        (claim,) = (await engine.ack_and_fetch("w", [], 1)).claims
        await engine.ack_and_fetch("w", [Ack(claim, Completed())], 0)
        with pytest.raises(CopyDiffersError) as raised:
            await copy_jobs(source, postgres_url)
        assert raised.value.first_id <= claim.id <= raised.value.last_id
        assert (await engine.get(claim.id)).status is BackgroundJobStatus.COMPLETED


async def test_a_job_that_does_not_fit_is_named_before_its_batch_is_written(tmp_path, postgres_url):
    async with open_engine(tmp_path / "app.db") as engine:
        await engine.enqueue([NewJob(job_key="k"), NewJob(job_key="k", priority=2**40)])
    with pytest.raises(EngineLimitError, match=str(2**40)):
        await copy_jobs(tmp_path / "app.db", postgres_url)
    async with open_engine(postgres_url) as engine:
        assert (await engine.counts()).total == 0


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "tetherpy.cli", *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_the_command_copies_and_prints_counts(source, postgres_url):
    done = await asyncio.to_thread(run, "engine", "copy", "--database", source, TETHERPY_COPY_TO=postgres_url)
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(source)) as connection:
        (jobs,) = connection.execute("SELECT count(*) FROM background_service_jobs").fetchone()
    assert f"jobs\t{jobs}\n" in done.stdout


async def test_the_command_refuses_to_run_while_workers_run(source, postgres_url):
    service = BackgroundService(source, "postgres_worker:initialize")
    await service.start()
    try:
        done = await asyncio.to_thread(run, "engine", "copy", "--database", source, "--to", postgres_url)
        assert done.returncode == 1
        assert "stop them first" in done.stderr
        wrong = await asyncio.to_thread(run, "engine", "copy", "--database", source, "--to", "other.db")
        assert wrong.returncode == 1
        assert "PostgreSQL URL" in wrong.stderr
    finally:
        await service.stop(0)
        await service.aclose()


async def test_a_change_of_the_source_during_the_copy_is_detected(source, postgres_url):
    def change(progress):
        if progress.done < progress.total and not changed:
            changed.append(progress.done)
            with closing(sqlite3.connect(source)) as other, other:
                other.execute("UPDATE background_service_jobs SET status = 'COMPLETED' WHERE id = 50")

    changed: list[int] = []
    with pytest.raises(CopyDiffersError):
        await copy_jobs(source, postgres_url, on_progress=change)
    assert changed


async def test_copying_is_refused_while_workers_of_the_source_run(source, postgres_url):
    now = datetime.now(UTC)
    async with open_engine(source) as engine:
        await engine.register_worker(WorkerRecord(id="w9", pid=7, host="here", started_at=now, heartbeat_at=now))
    with pytest.raises(CopyRefusedError, match=r"uses the source: w9 \(pid 7\)"):
        await copy_jobs(source, postgres_url)
    await copy_jobs(source, postgres_url, clock=lambda: now + timedelta(minutes=2))


SHOP = """
CREATE TABLE lines (number INTEGER NOT NULL, "order" INTEGER NOT NULL REFERENCES orders, PRIMARY KEY (number, "order"));
CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT NOT NULL, paid BOOLEAN, price REAL, scan BLOB, at DATETIME,
                     total DECIMAL(10, 2), length INTEGER GENERATED ALWAYS AS (length(name)) VIRTUAL);
CREATE TABLE "say ""hi"" now" ("a b" VARCHAR(10) PRIMARY KEY) WITHOUT ROWID;
CREATE VIEW paid AS SELECT * FROM orders WHERE paid;
INSERT INTO orders (id, name, paid, price, scan, at, total) VALUES
    (1, 'tea', 1, 2.5, x'00ff', '2030-01-01 09:00:00', 2.5), (7, 'milk☃', 0, 3, NULL, NULL, 10);
INSERT INTO lines VALUES (1, 7), (2, 7);
INSERT INTO "say ""hi"" now" VALUES ('x'), ('y'), ('z');
"""


@pytest.fixture
async def shop(tmp_path):
    """A file with a job and tables of the app."""
    path = tmp_path / "shop.db"
    async with open_engine(path) as engine:
        await engine.enqueue([NewJob(job_key="k")])
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SHOP)
    return path


async def test_tables_of_the_app_are_named_and_left(shop, postgres_url):
    report = await copy_jobs(shop, postgres_url)
    assert (report.tables, report.left) == ({}, {"orders": 2, "lines": 2, 'say "hi" now': 3})


async def test_chosen_tables_are_copied_with_their_types_and_ids_continue(shop, postgres_url):
    report = await copy_jobs(shop, postgres_url, tables="all")
    assert (report.tables, report.left) == ({"orders": 2, 'say "hi" now': 3, "lines": 2}, {})
    async with open_database(postgres_url) as db:
        first, second = await db.get_all("SELECT * FROM orders ORDER BY id")
        assert tuple(first) == (1, "tea", True, 2.5, b"\x00\xff", "2030-01-01 09:00:00", Decimal("2.5"))
        assert tuple(second) == (7, "milk☃", False, 3.0, None, None, Decimal(10))
        others = await db.get_all('SELECT * FROM "say ""hi"" now" ORDER BY 1')
        assert [tuple(row) for row in others] == [("x",), ("y",), ("z",)]
        (added,) = (await db.execute("INSERT INTO orders (name) VALUES ('cocoa') RETURNING id")).rows
        assert added["id"] == 8


async def test_a_table_of_the_server_keeps_its_types_and_constraints(shop, postgres_url):
    async with open_database(postgres_url) as db:
        await db.execute(
            "CREATE TABLE orders (at timestamptz, total numeric, scan bytea, price real, paid int, name text, "
            "id int PRIMARY KEY, note text DEFAULT 'none')"
        )
        await db.execute('CREATE TABLE lines (number int, "order" int REFERENCES orders)')
        report = await copy_jobs(shop, postgres_url, tables=["lines", "orders"])
        assert report.left == {'say "hi" now': 3}
        row = await db.get("SELECT id, name, at, note FROM orders WHERE id = 1")
        assert row["at"].year == 2030
        assert row["note"] == "none"


@pytest.mark.parametrize(
    ("change", "tables", "reason"),
    [
        ("", ["orders", "order"], "no table 'order'"),
        ("INSERT INTO orders (name, paid) VALUES ('x', 'no')", ["orders"], "'paid' is boolean and has the value 'no'"),
        ("INSERT INTO orders (name, paid) VALUES ('x', 2)", ["orders"], "'paid' is boolean and has the value 2"),
        ("INSERT INTO orders (name) VALUES ('a' || char(0))", ["orders"], "'orders' has a row that does not fit"),
        ("INSERT INTO orders (name) VALUES (CAST(x'ff' AS TEXT))", ["orders"], "'orders' has a row that does not fit"),
        ("INSERT INTO orders (name) VALUES (x'ff')", ["orders"], "'name' is text and has the value"),
    ],
)  # fmt: skip
async def test_what_does_not_fit_is_named_and_no_table_is_copied(shop, postgres_url, change, tables, reason):
    with closing(sqlite3.connect(shop)) as connection:
        connection.executescript(change)
    with pytest.raises(CopyRefusedError, match=reason):
        await copy_jobs(shop, postgres_url, tables=[*tables, 'say "hi" now'])
    async with open_database(postgres_url) as db:
        names = {row["tablename"] for row in await db.get_all("SELECT tablename FROM pg_tables")}
    assert not names & {"orders", 'say "hi" now'}


async def test_a_table_with_rows_on_the_server_is_refused(shop, postgres_url):
    await copy_jobs(shop, postgres_url, tables=["orders"])
    with pytest.raises(CopyRefusedError, match="'orders' is not empty"):
        await copy_jobs(shop, postgres_url, tables=["lines", "orders"])
    assert (await copy_jobs(shop, postgres_url, tables=["lines"])).tables == {"lines": 2}


async def test_the_command_names_the_tables_that_it_left(shop, postgres_url):
    copy = ("engine", "copy", "--database", shop, "--tables", "orders, lines")
    done = await asyncio.to_thread(run, *copy, TETHERPY_COPY_TO=postgres_url)
    assert done.returncode == 0, done.stderr
    assert "tables\torders (2 rows), lines (2 rows)\n" in done.stdout
    assert 'left\tsay "hi" now (3 rows)\n' in done.stdout
