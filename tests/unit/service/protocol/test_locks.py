import os
import subprocess
import sys

import pytest

from tetherpy.service.app import stopping
from tetherpy.service.app.launch import close_listener, listen
from tetherpy.service.errors import WorkerStopError
from tetherpy.service.protocol.locks import (
    is_locked,
    living_signer_of,
    lock_into_place,
    sign,
    signer_of,
    try_lock,
    wait_until_unlocked,
)
from tetherpy.service.protocol.private_descriptors import close_private
from tetherpy.service.protocol.service_files import ServiceFiles
from tetherpy.service.supervisor.group_files import TOUCH_SECONDS, GroupFiles


def test_a_lock_is_held_until_its_descriptor_is_closed(tmp_path):
    path = tmp_path / "lock"
    assert not is_locked(path)
    held = try_lock(path)
    assert held is not None
    assert is_locked(path)
    assert try_lock(path) is None
    close_private(held)
    assert not is_locked(path)


def test_a_lock_is_created_although_its_folder_was_removed(tmp_path):
    path = tmp_path / "app.db-service" / "lock"
    held = lock_into_place(path)
    assert is_locked(path)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    close_private(held)


def test_a_check_does_not_take_the_lock(tmp_path):
    path = tmp_path / "lock"
    path.touch()
    assert not is_locked(path)
    assert not is_locked(path)
    close_private(try_lock(path))


def test_a_lock_survives_its_owner_while_a_child_has_inherited_it(tmp_path):
    path = tmp_path / "lock"
    held = try_lock(path)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[held])
    close_private(held)
    assert is_locked(path)
    child.communicate(b"\n")
    assert not is_locked(path)


def test_a_new_lock_file_is_locked_and_has_the_id_of_its_owner(tmp_path):
    path = tmp_path / "one.worker"
    held = lock_into_place(path)
    assert is_locked(path)
    assert signer_of(path) == living_signer_of(path) == os.getpid()
    assert list(tmp_path.iterdir()) == [path]
    close_private(held)
    assert not is_locked(path)


async def test_a_wait_returns_whether_the_lock_was_released(tmp_path):
    path = tmp_path / "lock"
    held = try_lock(path)
    assert not await wait_until_unlocked(path, 0.01)
    close_private(held)
    assert await wait_until_unlocked(path, 0.01)


def test_lock_files_are_touched_every_hour(tmp_path):
    now = [0.0]
    files = ServiceFiles.of(tmp_path / "app.db")
    files.create()
    (tmp_path / "app.db").touch()
    lock = try_lock(files.group_lock)
    listener = listen(files)
    files.log.touch()
    group = GroupFiles(files, lock, lambda: now[0])
    paths = (files.group_lock, files.socket, files.log, files.folder)
    for path in paths:
        os.utime(path, (0, 0))
    assert group.renew(pytest.fail) is None
    assert [path.stat().st_mtime for path in paths] == [0] * 4
    now[0] += TOUCH_SECONDS
    assert group.renew(pytest.fail) is None
    assert all(path.stat().st_mtime > 0 for path in paths)
    group.unlock()
    close_listener(listener)


@pytest.fixture
def unrelated():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("started", ["", " 1"])
async def test_a_process_with_the_id_of_a_dead_service_gets_no_signal(tmp_path, unrelated, monkeypatch, started):
    """The lock file of a dead service exists, and a process that starts a new service holds its lock."""
    monkeypatch.setattr(stopping, "KILL_GRACE_SECONDS", 0.01)
    monkeypatch.setattr(stopping, "STOP_MARGIN_SECONDS", 0.5)
    files = ServiceFiles.of(tmp_path / "app.db")
    files.create()
    files.group_lock.write_text(f"{unrelated.pid}{started}")
    held = try_lock(files.group_lock)
    with pytest.raises(WorkerStopError) as caught:
        await stopping.stop_group(files, 0.01)
    assert caught.value.pid is None
    assert unrelated.poll() is None
    close_private(held)


def test_a_signature_identifies_one_living_process(tmp_path, unrelated):
    path = tmp_path / "lock"
    held = try_lock(path)
    sign(held)
    assert living_signer_of(path) == os.getpid()
    started = path.read_text().partition(" ")[2]
    path.write_text(f"{unrelated.pid} {int(started) - 1}")
    assert (signer_of(path), living_signer_of(path)) == (unrelated.pid, None)
    close_private(held)
