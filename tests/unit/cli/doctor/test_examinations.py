"""Each examination detects its problem and suggests a remedy."""

import contextlib
import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tetherpy.cli.doctor import machine, sqlite_file
from tetherpy.cli.doctor.finding import State
from tetherpy.cli.doctor.jobs import examine_jobs
from tetherpy.cli.doctor.machine import examine_disk, examine_file_system, examine_inotify
from tetherpy.cli.doctor.sqlite_file import examine_file, examine_version
from tetherpy.jobs import BackgroundJobManager, WorkerRecord, open_engine

NOW = datetime.now(UTC)


def states(findings):
    return {finding.check: finding.state for finding in findings}


@pytest.fixture
async def engine(tmp_path):
    async with open_engine(tmp_path / "shop.db") as engine:
        await engine.prepare()
        yield engine


async def examined(engine, now=NOW, serving=False):
    return {finding.check: finding async for finding in examine_jobs(engine, now, serving=serving)}


async def test_a_new_database_has_no_problems(engine, tmp_path):
    findings = [*examine_file(tmp_path / "shop.db"), *(await examined(engine)).values()]
    assert set(states(findings).values()) == {State.OK}


@pytest.mark.parametrize(("mode", "state"), [("NONE", State.ADVICE), ("INCREMENTAL", State.OK)])
def test_a_file_that_is_mostly_free_and_cannot_shrink_needs_a_vacuum(tmp_path, mode, state):
    path = tmp_path / "app.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(f"PRAGMA auto_vacuum = {mode}; CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (zeroblob(8000000))")
        connection.execute("DELETE FROM t")
    (found,) = [finding for finding in examine_file(path) if finding.check == "free space"]
    assert found.state is state
    assert ("VACUUM" in str(found)) is (state is State.ADVICE)


@pytest.mark.parametrize(
    ("version", "state"),
    [
        ((3, 34, 9), State.WRONG),
        ((3, 40, 1), State.ADVICE),
        ((3, 44, 5), State.ADVICE),
        ((3, 44, 6), State.OK),
        ((3, 50, 6), State.ADVICE),
        ((3, 50, 7), State.OK),
        ((3, 51, 2), State.ADVICE),
        ((3, 51, 3), State.OK),
        ((3, 52, 0), State.OK),
    ],
)
def test_an_old_version_of_sqlite_is_reported(version, state):
    finding = examine_version(version)
    assert finding.state is state
    assert bool(finding.remedy) == (state is not State.OK)


def test_examination_ends_at_a_file_that_is_not_a_database(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no database" * 100)
    findings = list(examine_file(path))
    assert findings[-1].check == "database"
    assert findings[-1].state is State.WRONG


def test_an_unmigrated_database_is_reported_as_such_and_as_not_in_wal_mode(tmp_path):
    path = tmp_path / "theirs.db"
    with contextlib.closing(sqlite3.connect(path)) as theirs:
        theirs.execute("CREATE TABLE bookmarks (x)")
    found = states(examine_file(path))
    assert (found["journal mode"], found["migrations"]) == (State.WRONG, State.WRONG)


async def test_corruption_is_reported(engine, tmp_path):
    path = tmp_path / "shop.db"
    await engine.db.execute("CREATE TABLE ballast (x)")
    await engine.db.execute_many("INSERT INTO ballast VALUES (?)", [("x" * 500,)] * 2000)
    await engine.db.aclose()  # the checkpoint copies the log into the file
    with path.open("r+b") as file:
        file.seek(-40 * 4096, os.SEEK_END)
        file.write(os.urandom(30 * 4096))
    assert states(examine_file(path))["integrity"] is State.WRONG


async def test_the_integrity_check_takes_a_bounded_time(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_file, "LOOK_SECONDS", 0.0)
    await engine.db.execute("CREATE TABLE ballast (x)")
    await engine.db.execute_many("INSERT INTO ballast VALUES (?)", [(number,) for number in range(20_000)])
    (found,) = [finding for finding in examine_file(tmp_path / "shop.db") if finding.check == "integrity"]
    assert found.state is State.OK
    assert "no damage found in 0 s" in found.found


async def test_a_held_write_lock_is_reported(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_file, "LOCK_SECONDS", 0.01)
    async with engine.db.transaction():
        assert states(examine_file(tmp_path / "shop.db"))["write lock"] is State.WRONG
    assert states(examine_file(tmp_path / "shop.db"))["write lock"] is State.OK


async def test_a_growing_write_ahead_log_is_reported(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_file, "LARGE_LOG", 1)
    await engine.db.execute("CREATE TABLE x (y)")
    assert states(examine_file(tmp_path / "shop.db"))["write-ahead log"] is State.WRONG


def test_a_read_only_file_is_reported(tmp_path):
    path = tmp_path / "shop.db"
    path.touch()
    path.chmod(0o400)
    # In a forked child, which drops the rights of root.
    copy = os.fork()
    if not copy:
        with contextlib.suppress(PermissionError):
            os.setuid(65534)
        os._exit(0 if next(examine_file(path)).state is State.WRONG else 1)
    assert os.waitpid(copy, 0)[1] == 0


def test_a_full_disk_is_reported(tmp_path, monkeypatch):
    assert examine_disk(tmp_path).state is State.OK
    monkeypatch.setattr(machine, "LEAST_FREE", 1 << 70)
    assert examine_disk(tmp_path).state is State.WRONG


def test_a_network_file_system_is_reported(tmp_path):
    mounts = tmp_path / "mounts"
    here = str(tmp_path).replace(" ", "\\040")
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/x {here} nfs4 rw 0 0\n/dev/sdb1 {here}/local xfs rw 0 0\n")
    (tmp_path / "local").mkdir()
    assert examine_file_system(tmp_path, mounts).state is State.WRONG
    assert "nfs4" in examine_file_system(tmp_path, mounts).found
    assert examine_file_system(tmp_path / "local", mounts).state is State.OK
    assert examine_file_system(Path("/"), mounts).found == "ext4"
    assert examine_file_system(tmp_path, tmp_path / "none").state is State.OK


def test_inotify_instances_are_counted_per_user(tmp_path):
    (tmp_path / "max_user_instances").write_text("12\n")
    descriptors = tmp_path / "proc" / "1" / "fd"
    descriptors.mkdir(parents=True)
    for number in range(2):
        (descriptors / str(number)).symlink_to("anon_inode:inotify")
    (descriptors / "9").symlink_to("/dev/null")
    (tmp_path / "proc" / "2").mkdir()  # a process that has just ended
    assert examine_inotify(tmp_path, tmp_path / "proc").state is State.OK
    (descriptors / "2").symlink_to("anon_inode:inotify")
    finding = examine_inotify(tmp_path, tmp_path / "proc")
    assert (finding.state, finding.found) == (State.WRONG, "3 of 12 instances in use")
    assert examine_inotify(tmp_path / "none").state is State.OK


async def test_a_worker_without_heartbeats_is_reported(engine):
    long_ago = NOW - timedelta(minutes=2)
    for name, heartbeat in [("silent", long_ago), ("well", NOW)]:
        worker = WorkerRecord(id=name, pid=1, host="here", started_at=long_ago, heartbeat_at=heartbeat)
        await engine.register_worker(worker)
    finding = (await examined(engine))["workers"]
    assert finding.state is State.WRONG
    assert "silent 2 min ago (pid 1 on here)" in finding.found
    assert "well" not in finding.found


async def test_a_running_job_without_a_worker_is_reported(engine):
    job_id = await BackgroundJobManager(engine).enqueue("greet")
    await engine.ack_and_fetch("w", [], 1)
    assert (await examined(engine))["stuck jobs"].state is State.OK
    finding = (await examined(engine, NOW + timedelta(hours=1)))["stuck jobs"]
    assert finding.state is State.WRONG
    assert finding.found.endswith(f": {job_id}")


async def test_due_jobs_are_an_error_without_a_worker_and_a_warning_with_one(engine):
    manager = BackgroundJobManager(engine)
    await manager.enqueue("greet", queue="slow")
    await manager.enqueue("greet", delay=timedelta(days=1))
    later = datetime.now(UTC) + timedelta(minutes=90, seconds=30)
    assert (await examined(engine))["pending jobs"].state is State.OK
    finding = (await examined(engine, later))["pending jobs"]
    assert finding.state is State.WRONG
    assert finding.found == "1 due, the oldest for 1 h 30 min, and no workers running"
    finding = (await examined(engine, later, serving=True))["pending jobs"]
    assert finding.state is State.ADVICE
    assert finding.found.endswith("in queues: slow")


async def test_jobs_without_a_handler_are_reported(engine):
    worker = WorkerRecord(
        id="w1", pid=1, host="here", started_at=NOW, heartbeat_at=NOW, job_keys=frozenset({"send_mail"})
    )
    await engine.register_worker(worker)
    await BackgroundJobManager(engine).enqueue("sendmail")
    await engine.ack_and_fetch("w1", [], 1, keys=["send_mail"])
    found = (await examined(engine, serving=True))["handlers"]
    assert found.state is State.WRONG
    assert "1 of 'sendmail' (did you mean 'send_mail'?)" in found.found
    assert "Registered keys: send_mail" in found.remedy


async def test_rows_with_an_unknown_status_are_reported(engine):
    job_id = await BackgroundJobManager(engine).enqueue("greet")
    await engine.db.execute("UPDATE background_service_jobs SET status = 'LOST' WHERE id = ?", (job_id,))
    assert (await examined(engine))["rows"].state is State.WRONG
