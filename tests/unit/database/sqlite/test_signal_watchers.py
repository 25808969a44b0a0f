import asyncio
import contextlib
import os
import resource
import sqlite3
import sys

import pytest

from tetherpy.database import Database, DatabaseOpenError
from tetherpy.database.sqlite.changes import change_feed
from tetherpy.database.sqlite.changes.change_signal import ChangeSignal
from tetherpy.database.sqlite.changes.polling import PollingWatcher
from tetherpy.database.sqlite.changes.watcher_choice import watch

linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


@pytest.fixture
def change_signal(tmp_path):
    (tmp_path / "app.db").touch()
    change_signal = ChangeSignal.of(tmp_path / "app.db")
    yield change_signal
    change_signal.close()


@contextlib.contextmanager
def no_descriptor_left():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.dup(0)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 1, hard))
    try:
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.dup(0))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in taken:
            os.close(fd)


async def rung(change_signal, woken):
    woken.clear()
    change_signal.send()
    await asyncio.wait_for(woken.wait(), 25)


async def test_a_write_to_the_change_signal_file_wakes_the_watcher(change_signal):
    woken = asyncio.Event()
    watcher = watch(change_signal, woken.set, lambda: 0)
    for _ in range(3):
        await rung(change_signal, woken)
    watcher.close()
    assert not isinstance(watcher, PollingWatcher)


@linux
async def test_a_deleted_change_signal_file_is_created_again_and_watched(change_signal):
    woken = asyncio.Event()
    watcher = watch(change_signal, woken.set, lambda: 0)
    for spoil in (change_signal.path.unlink, lambda: change_signal.path.rename(change_signal.path.with_name("moved"))):
        woken.clear()
        spoil()
        await asyncio.wait_for(woken.wait(), 25)  # because a change may have been missed
        other = ChangeSignal.of(change_signal.path.with_name("app.db"))
        await rung(other, woken)
        other.close()
    watcher.close()


@linux
async def test_a_writer_notices_that_the_change_signal_file_was_deleted(change_signal):
    change_signal.path.unlink()
    woken = asyncio.Event()
    watcher = watch(change_signal, woken.set, lambda: 0)
    await rung(change_signal, woken)
    watcher.close()


async def test_a_failed_write_of_the_change_signal_does_not_undo_the_commit(tmp_path, caplog):
    async with Database.open(tmp_path / "app.db") as db:
        await db.execute("CREATE TABLE t (x)")
        db.path.with_name("app.db-signal").unlink()
        db.path.with_name("app.db-signal").mkdir()
        await db.execute("INSERT INTO t VALUES (1)")
        assert "could not signal a commit" in caplog.text
        assert len(await db.get_all("SELECT * FROM t")) == 1
        db.path.with_name("app.db-signal").rmdir()
        await db.execute("INSERT INTO t VALUES (2)")


@linux
async def test_without_inotify_the_database_is_polled(tmp_path):
    async with (
        Database.open(tmp_path / "app.db", safety_interval=None) as db,
        Database.open(tmp_path / "app.db", safety_interval=None) as other,
    ):
        await other.execute("CREATE TABLE t (x)")
        heard = []
        changed = asyncio.Event()
        with no_descriptor_left():
            remove = db.on_change(lambda tables: (heard.append(tables), changed.set()))
        assert isinstance(db._feed._watcher, PollingWatcher)
        await db._feed.caught_up()
        for value in range(3):
            changed.clear()
            await other.execute("INSERT INTO t VALUES (?)", (value,))
            await asyncio.wait_for(changed.wait(), 25)
        assert heard[-1] == {"t"}
        remove()


@linux
async def test_a_process_that_lost_its_watch_polls_until_it_can_watch_again(tmp_path, monkeypatch):
    monkeypatch.setattr(change_feed, "PUSH_RETRY_SECONDS", 0.02)
    async with (
        Database.open(tmp_path / "app.db", safety_interval=None) as db,
        Database.open(tmp_path / "app.db", safety_interval=None) as other,
    ):
        await other.execute("CREATE TABLE t (x)")
        changed = asyncio.Event()
        db.on_change(lambda _: changed.set())
        await db._feed.caught_up()
        with no_descriptor_left():
            db.path.with_name("app.db-signal").unlink()
            async with asyncio.timeout(25):
                while not isinstance(db._feed._watcher, PollingWatcher):
                    await asyncio.sleep(0)
        async with asyncio.timeout(25):
            changed.clear()
            await other.execute("INSERT INTO t VALUES (1)")
            await changed.wait()
            while isinstance(db._feed._watcher, PollingWatcher):
                await asyncio.sleep(0.005)
            changed.clear()
            await other.execute("INSERT INTO t VALUES (2)")
            await changed.wait()


async def test_after_a_failed_poll_the_next_poll_runs_without_a_signal(tmp_path, caplog):
    async with Database.open(tmp_path / "app.db", safety_interval=None) as db:
        await db.execute("CREATE TABLE t (x)")
        changed = asyncio.Event()
        db.on_change(lambda _: changed.set())
        await db._feed.caught_up()
        with contextlib.closing(sqlite3.connect(db.path, isolation_level=None)) as stranger:
            stranger.execute("ALTER TABLE tetherpy_changes RENAME TO elsewhere")
            with pytest.raises(sqlite3.OperationalError, match="no such table"):
                await db._feed.caught_up()
            changed.clear()
            stranger.execute("ALTER TABLE elsewhere RENAME TO tetherpy_changes")
            stranger.execute("INSERT INTO t VALUES (1)")
        async with asyncio.timeout(25):
            await changed.wait()
    assert caplog.text.count("could not poll for changes") == 1


def link(change_signal, victim):
    change_signal.symlink_to(victim)


def hard_link(change_signal, victim):
    change_signal.hardlink_to(victim)


def pipe(change_signal, victim):
    os.mkfifo(change_signal)


@pytest.mark.parametrize("trap", [link, hard_link, pipe])
async def test_a_planted_link_or_device_in_place_of_the_change_signal_file_is_refused(tmp_path, trap, caplog):
    victim = tmp_path / "victim"
    victim.write_text("ORIGINAL")
    victim.chmod(0o600)
    change_signal = tmp_path / "app.db-signal"
    trap(change_signal, victim)
    with pytest.raises(DatabaseOpenError, match="its change signal file"):
        await Database.open(tmp_path / "app.db")
    change_signal.unlink()
    async with Database.open(tmp_path / "app.db") as db:
        await db.execute("CREATE TABLE t (x)")
        db.on_change(lambda _: None)
        change_signal.unlink()
        trap(change_signal, victim)
        await db.execute("INSERT INTO t VALUES (1)")
        await db._feed.caught_up()
    assert "could not signal a commit" in caplog.text
    assert victim.read_text() == "ORIGINAL"
    assert victim.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
async def test_the_change_signal_file_belongs_to_a_user_who_may_write_the_database(tmp_path):
    path, change_signal = tmp_path / "app.db", tmp_path / "app.db-signal"
    async with Database.open(path):
        assert change_signal.stat().st_uid == 0
    os.chown(path, 65534, 65534)
    async with Database.open(path):
        assert change_signal.stat().st_uid == 65534  # the owner of the database can write to it too
    os.chown(path, 0, 0)
    with pytest.raises(DatabaseOpenError, match="belongs to user 65534"):
        await Database.open(path)
    path.chmod(0o664)
    async with Database.open(path):  # its group shares the database
        assert change_signal.stat().st_uid == 65534


@pytest.mark.parametrize("mask", [0o077, 0o027, 0o022, 0o002, 0])
async def test_all_files_have_the_mode_that_the_umask_leaves(tmp_path, mask):
    before = os.umask(mask)
    try:
        async with Database.open(tmp_path / "app.db") as db:
            await db.execute("CREATE TABLE t (x)")
            modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(["app.db", "app.db-signal", "app.db-shm", "app.db-wal"], 0o666 & ~mask)


async def test_a_change_signal_file_that_cannot_be_opened_is_an_error_with_the_reason(tmp_path):
    (tmp_path / "app.db-signal").mkdir()
    with pytest.raises(DatabaseOpenError, match="its change signal file"):
        await Database.open(tmp_path / "app.db")


async def test_polling_is_frequent_after_a_commit_and_rare_at_rest():
    loop = asyncio.get_running_loop()
    seen = 0
    asked = []
    rested = asyncio.Event()

    def wake():
        asked.append(watcher._interval if asked else None)
        if asked[-1] == 0.02:
            rested.set()

    watcher = PollingWatcher(loop, wake, lambda: seen)
    watcher._tick()
    await asyncio.wait_for(rested.wait(), 25)
    seen += 1
    rested.clear()
    await asyncio.wait_for(rested.wait(), 25)
    watcher.close()
    assert asked.count(0.001) == 1
    assert asked.index(0.001) > 5
