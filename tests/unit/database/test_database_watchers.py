import asyncio
import contextlib
import os
import resource
import sys

import pytest

from tetherpy.database import Database, DatabaseOpenError
from tetherpy.database.bell import Bell
from tetherpy.database.polling import PollingWatcher
from tetherpy.database.watcher import watch

linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


@pytest.fixture
def bell(tmp_path):
    (tmp_path / "app.db").touch()
    bell = Bell.of(tmp_path / "app.db")
    yield bell
    bell.close()


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


async def rung(bell, woken):
    woken.clear()
    bell.ring()
    await asyncio.wait_for(woken.wait(), 25)


async def test_the_bell_wakes(bell):
    woken = asyncio.Event()
    watcher = watch(bell, woken.set, lambda: 0)
    for _ in range(3):
        await rung(bell, woken)
    watcher.close()
    assert not isinstance(watcher, PollingWatcher)


@linux
async def test_a_deleted_bell_is_made_again_and_heard(bell):
    woken = asyncio.Event()
    watcher = watch(bell, woken.set, lambda: 0)
    for spoil in (bell.path.unlink, lambda: bell.path.rename(bell.path.with_name("moved"))):
        woken.clear()
        spoil()
        await asyncio.wait_for(woken.wait(), 25)  # in case something was missed meanwhile
        other = Bell.of(bell.path.with_name("app.db"))
        await rung(other, woken)
        other.close()
    watcher.close()


@linux
async def test_a_ringer_notices_that_its_bell_was_deleted(bell):
    bell.path.unlink()
    woken = asyncio.Event()
    watcher = watch(bell, woken.set, lambda: 0)
    await rung(bell, woken)
    watcher.close()


async def test_a_bell_that_cannot_be_rung_does_not_undo_the_commit(tmp_path, caplog):
    async with Database.open(tmp_path / "app.db") as db:
        await db.execute("CREATE TABLE t (x)")
        db.path.with_name("app.db-bell").unlink()
        db.path.with_name("app.db-bell").mkdir()
        await db.execute("INSERT INTO t VALUES (1)")
        assert "could not ring" in caplog.text
        assert len(await db.get_all("SELECT * FROM t")) == 1
        db.path.with_name("app.db-bell").rmdir()
        await db.execute("INSERT INTO t VALUES (2)")


@linux
async def test_without_inotify_the_database_is_asked(tmp_path):
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


async def test_a_bell_that_cannot_be_opened_says_so(tmp_path):
    (tmp_path / "app.db-bell").mkdir()
    with pytest.raises(DatabaseOpenError, match="its bell"):
        await Database.open(tmp_path / "app.db")


async def test_asking_is_quick_after_a_commit_and_slow_at_rest():
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
