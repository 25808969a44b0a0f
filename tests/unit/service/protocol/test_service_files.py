import math
import os
import shutil
from datetime import timedelta

import pytest

from tetherpy.errors import DurationError
from tetherpy.service import BackgroundService, ServiceFolderError, UnsupportedDatabaseError
from tetherpy.service.app.launch import close_listener, listen
from tetherpy.service.protocol.locks import is_locked, lock_into_place, try_lock
from tetherpy.service.protocol.private_descriptors import close_private
from tetherpy.service.protocol.service_files import ServiceFiles
from tetherpy.service.protocol.settings import WorkerConfig
from tetherpy.service.protocol.worker_log import open_log


def test_all_spellings_of_a_path_have_the_same_files(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "app.db")
    monkeypatch.chdir(tmp_path / "sub")
    expected = ServiceFiles.of(tmp_path / "app.db")
    for spelling in ("../app.db", tmp_path / "sub" / ".." / "app.db", str(tmp_path / "link")):
        assert ServiceFiles.of(spelling) == expected


def test_workers_are_found_by_their_lock_files(tmp_path):
    files = ServiceFiles.of(tmp_path / "app.db")
    assert files.worker_ids() == frozenset()
    files.create()
    files.create()
    files.worker_lock("one").touch()
    files.group_lock.touch()
    assert files.worker_ids() == {"one"}
    assert files.folder.stat().st_mode & 0o077 == 0


def close_log(files):
    os.close(open_log(files.log))


CREATIONS = {
    "the folder": lambda files: files.create(),
    "the lock of the service": lambda files: close_private(try_lock(files.group_lock)),
    "the lock of a worker": lambda files: close_private(lock_into_place(files.worker_lock("one"))),
    "the log": close_log,
    "the socket": lambda files: close_listener(listen(files)),
}


@pytest.mark.parametrize("creation", CREATIONS)
def test_a_removed_folder_is_created_again_with_each_file(tmp_path, creation):
    """A program that cleans temporary folders may run between any two steps of a start."""
    files = ServiceFiles.of(tmp_path / "app.db")
    for _ in range(2):
        CREATIONS[creation](files)
        assert files.folder.stat().st_mode & 0o077 == 0
        shutil.rmtree(files.folder)


def test_a_folder_that_is_removed_during_its_creation_is_created_again(tmp_path, monkeypatch):
    files = ServiceFiles.of(tmp_path / "app.db")
    removals = iter([True] * 2)
    stat = os.stat

    def stat_after_a_removal(path, **options):
        if path == files.folder and not options and next(removals, False):
            files.folder.rmdir()
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", stat_after_a_removal)
    files.create()
    assert next(removals, None) is None
    assert files.folder.is_dir()


def test_a_folder_that_cannot_be_created_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "app.db", tmp_path / "nowhere" / "app.db"):
        with pytest.raises(ServiceFolderError, match="correct the database path"):
            ServiceFiles.of(path).create()


@pytest.mark.parametrize("mode", [0o777, 0o770])
def test_a_folder_that_others_can_write_is_refused(tmp_path, mode):
    files = ServiceFiles.of(tmp_path / "app.db")
    files.folder.mkdir()
    files.folder.chmod(mode)
    with pytest.raises(ServiceFolderError, match="other users may write"):
        files.create()


@pytest.mark.parametrize("linked", [False, True])
def test_a_folder_of_another_user_is_refused(tmp_path, linked, monkeypatch):
    files = ServiceFiles.of(tmp_path / "app.db")
    if linked:
        (tmp_path / "elsewhere").mkdir()
        files.folder.symlink_to(tmp_path / "elsewhere")
    else:
        files.folder.mkdir()
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    with pytest.raises(ServiceFolderError, match=f"belongs to user {me}"):
        files.create()


def test_permissions_of_a_folder_that_others_can_read_are_restricted(tmp_path):
    files = ServiceFiles.of(tmp_path / "app.db")
    files.folder.mkdir(mode=0o755)
    files.create()
    assert files.folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("opened", [open_log, try_lock, is_locked])
def test_a_symbolic_link_in_place_of_a_file_is_refused(tmp_path, opened):
    (tmp_path / "victim").write_text("original")
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    with pytest.raises(ServiceFolderError, match="symbolic link"):
        opened(tmp_path / "link")


def test_the_address_of_the_socket_is_short_enough(tmp_path):
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    files = ServiceFiles.of(folder / "app.db")
    files.create()
    with files.socket_address() as address:
        assert len(address) < 100


@pytest.mark.parametrize("wrong", [{"concurrency": 0}, {"processes": -1}])
def test_an_invalid_worker_config_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        WorkerConfig(database="a", callback="b:c", **wrong)


def test_a_config_is_passed_to_the_supervisor_unchanged():
    config = WorkerConfig(database="/ä/app.db", callback="b:c", queues=("q",), sys_path=("/x", "/y z"))
    assert WorkerConfig.decode(config.encode()) == config


def test_an_unsupported_url_is_refused_and_not_used_as_a_path():
    with pytest.raises(UnsupportedDatabaseError, match="SQLite") as raised:
        ServiceFiles.of("mysql://me:secret@localhost/app")
    assert "secret" not in str(raised.value)


def test_files_of_a_server_database_are_in_the_state_folder_and_contain_no_password(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    files = ServiceFiles.of("postgresql://me:secret@db.example:5432/app")
    files.create()
    assert files.folder.is_relative_to(tmp_path / "state" / "tetherpy")
    assert files.folder.stat().st_mode & 0o077 == 0
    assert ServiceFiles.of("postgresql://me:changed@db.example:5432/app").folder == files.folder
    assert ServiceFiles.of("postgresql://me:secret@db.example:5432/app2").folder != files.folder
    config = WorkerConfig(database=files.address, callback="b:c")
    assert not any("secret" in text for text in (str(files.folder), repr(files), files.name, repr(config)))
    assert files.address == "postgresql://me:secret@db.example:5432/app"


@pytest.mark.parametrize("span", [math.nan, math.inf, -math.inf, -1, 1e308, timedelta.max])
async def test_durations_beyond_the_timer_limit_are_refused_at_the_call(tmp_path, span):
    with pytest.raises(DurationError, match="start_timeout is"):
        BackgroundService(tmp_path / "app.db", "a:b", start_timeout=span)
    with pytest.raises(DurationError, match="timeout is"):
        await BackgroundService(tmp_path / "app.db", "a:b").stop(span)
    with pytest.raises(DurationError, match="lease is"):
        BackgroundService(tmp_path / "app.db", "a:b", lease=span)


def test_titles_are_cut_to_the_size_of_a_frame():
    config = WorkerConfig(
        database="a", callback="b:c", notification_title="t" * 1_500_000, notification_content="\ud800"
    )
    assert (len(config.notification_title), config.notification_content) == (4000, "\\ud800")
