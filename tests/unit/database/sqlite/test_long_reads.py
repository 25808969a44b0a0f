"""Long reads delay neither short reads nor the reset of the write-ahead log."""

import asyncio
import contextlib
import sqlite3
import threading

import pytest

from tetherpy.database import Database, DatabaseClosedError, DatabaseError, ReadTimeoutError
from tetherpy.database.sqlite import wal_bound
from tetherpy.jobs import JOB_MIGRATIONS, BackgroundJobManager, JobQuery

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


def never_ends(connection, begun=lambda: None):
    begun()
    connection.execute(ENDLESS).fetchall()


@pytest.fixture
async def db(tmp_path):
    async with Database.open(tmp_path / "app.db", migrations=JOB_MIGRATIONS) as db:
        yield db


async def begin(db):
    """Start a read that never ends, and wait until it runs."""
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    read = asyncio.create_task(db.read_long(never_ends, lambda: loop.call_soon_threadsafe(begun.set), timeout=3600))
    async with asyncio.timeout(25):
        await begun.wait()
    return read


async def test_short_reads_do_not_wait_for_long_reads_which_end_when_cancelled(db):
    read = await begin(db)
    async with asyncio.timeout(25):
        assert (await db.get("SELECT 1"))[0] == 1
        await db._feed.caught_up()
        assert db.busy
        read.cancel()
        assert await db.read_long(lambda c: c.execute("SELECT 2").fetchone()[0]) == 2
    assert read.cancelled()


async def test_a_long_read_ends_at_its_time_limit(db):
    with pytest.raises(ReadTimeoutError, match=r"interrupted after 0\.05 s") as caught:
        await db.read_long(never_ends, timeout=0.05)
    assert isinstance(caught.value, TimeoutError)
    assert isinstance(caught.value, DatabaseError)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await db.read_long(lambda c: c.execute("SELECT * FROM missing"))


async def test_close_ends_running_and_queued_long_reads(db):
    reads = [await begin(db), asyncio.create_task(db.read_long(never_ends))]
    await asyncio.sleep(0)
    async with asyncio.timeout(25):
        await db.aclose()
        results = await asyncio.gather(*reads, return_exceptions=True)
    assert [type(result) for result in results] == [DatabaseClosedError] * 2


@pytest.mark.parametrize("query", [{"text": "x"}, {"queue": "mail"}])
async def test_job_searches_run_as_long_reads(db, query):
    manager = BackgroundJobManager(db)
    job_id = await manager.enqueue("x", queue="mail")
    read = await begin(db)
    search = asyncio.create_task(manager.find_jobs(JobQuery(**query)))
    async with asyncio.timeout(25):
        assert await manager.find_jobs(JobQuery(status="PENDING"))
        assert not search.done()
        read.cancel()
        assert [job.id for job in await search] == [job_id]


class OverlappingReads:
    """Two readers; each ends a read only after the other has begun its next one."""

    def __init__(self, path):
        self.path = path
        self.begun = [0, 0]
        self.ended = False
        self.changed = threading.Condition()

    def run(self, me):
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            while not self.ended:
                connection.execute("BEGIN")
                connection.execute("SELECT count(*) FROM t").fetchone()
                with self.changed:
                    self.begun[me] += 1
                    self.changed.notify_all()
                    self.changed.wait_for(lambda: self.ended or self.begun[not me] >= self.begun[me] - me + 1, 25)
                connection.execute("COMMIT")

    def end(self):
        with self.changed:
            self.ended = True
            self.changed.notify_all()


async def test_the_log_is_reset_while_reads_overlap(tmp_path, monkeypatch):
    monkeypatch.setattr(wal_bound, "LARGE_LOG_BYTES", 1 << 18)
    monkeypatch.setattr(wal_bound, "CHECK_SECONDS", 0.0)
    monkeypatch.setattr(wal_bound, "LONG_READ_SECONDS", 0.05)
    monkeypatch.setattr(wal_bound, "AGAIN_SECONDS", 0.0)
    path = tmp_path / "app.db"
    async with Database.open(path) as db:
        await db.execute("CREATE TABLE t (x)")
        reads = OverlappingReads(path)
        readers = [asyncio.create_task(asyncio.to_thread(reads.run, number)) for number in (0, 1)]
        try:
            sizes = []
            while (written := len(sizes) * 25_000) < 5_000_000 or max(sizes) > written / 2:
                await db.execute("INSERT INTO t VALUES (randomblob(25000))")
                sizes.append(path.with_name("app.db-wal").stat().st_size)
        finally:
            reads.end()
            await asyncio.gather(*readers)
        assert min(reads.begun) > 1


async def test_a_read_that_blocks_the_checkpoint_is_not_awaited_and_is_reported_once(tmp_path, monkeypatch, caplog):
    """Writers of all processes wait while a checkpoint waits, and each process runs checkpoints."""
    monkeypatch.setattr(wal_bound, "CHECK_SECONDS", 0.0)
    monkeypatch.setattr(wal_bound, "LONG_READ_SECONDS", 0.0)
    checkpoints = []
    checkpoint = wal_bound._checkpoint
    monkeypatch.setattr(
        wal_bound, "_checkpoint", lambda connection, mode: (checkpoints.append(mode), checkpoint(connection, mode))[1]
    )
    async with Database.open(tmp_path / "app.db") as db:
        await db.execute("CREATE TABLE t (x)")
        with contextlib.closing(sqlite3.connect(tmp_path / "app.db", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM t").fetchone()
            monkeypatch.setattr(wal_bound, "LARGE_LOG_BYTES", 1)
            for number in range(5):
                await db.execute("INSERT INTO t VALUES (?)", (number,))
        assert (await db.get("SELECT count(*) FROM t"))[0] == 5
    assert caplog.text.count("keep it from being reset") == 1
    assert "RESTART" not in checkpoints


async def test_a_reset_log_is_not_reported_as_large(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(wal_bound, "CHECK_SECONDS", 0.0)
    monkeypatch.setattr(wal_bound, "LONG_READ_SECONDS", 0.0)
    path = tmp_path / "app.db"
    log = path.with_name("app.db-wal")
    async with Database.open(path) as db:
        await db.execute("CREATE TABLE t (x)")
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM t").fetchone()
            await db.execute("INSERT INTO t VALUES (zeroblob(?))", (wal_bound.LARGE_LOG_BYTES,))
            reader.execute("COMMIT")
            for number in range(4):
                await db.execute("INSERT INTO t VALUES (?)", (number,))
            assert log.stat().st_size < wal_bound.LARGE_LOG_BYTES
            caplog.clear()
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM t").fetchone()
            for number in range(4):
                await db.execute("INSERT INTO t VALUES (?)", (number,))
    assert caplog.text == ""
