"""Files of a service that are deleted or replaced while it runs: it creates them again, or ends."""

import shutil
from datetime import timedelta

import pytest

from tetherpy.database import Database
from tetherpy.jobs import JOB_MIGRATIONS, NewJob
from tetherpy.service.protocol.locks import is_locked, signer_of
from tetherpy.service.protocol.service_files import ServiceFiles


@pytest.fixture
def files(database_path):
    return ServiceFiles.of(database_path)


def delete_folder(files):
    shutil.rmtree(files.folder)


def delete_worker_locks(files):
    for worker in files.worker_ids():
        files.worker_lock(worker).unlink()


def delete_group_lock(files):
    files.group_lock.unlink()


def delete_socket(files):
    files.socket.unlink()


def delete_log(files):
    files.log.unlink()


async def test_files_deleted_by_a_cleaner_are_created_again_and_cost_no_attempt(
    make_service, manager, finished, files, servers, until
):
    service = make_service(processes=2, lease=timedelta(seconds=1.5))
    await service.start()
    pids = {process.pid for process in servers()}

    def is_whole():
        return (
            is_locked(files.group_lock)
            and signer_of(files.group_lock) in pids
            and files.socket.exists()
            and files.log.exists()
            and {signer_of(files.worker_lock(worker)) for worker in files.worker_ids()} < pids
            and len(files.worker_ids()) == 2
        )

    await until(is_whole)
    for delete in (delete_folder, delete_worker_locks, delete_group_lock, delete_socket, delete_log):
        # Longer than a lease, so that a worker that seemed dead would lose them.
        job_ids = await manager.enqueue_many([NewJob(job_key="nap", payload=2.0) for _ in range(4)])
        await until(lambda: is_running(manager, 4))
        delete(files)
        await until(is_whole)
        assert [(await finished(job_id)).attempts for job_id in job_ids] == [1] * 4
        await service.start()
        assert await service.is_running()
        assert {process.pid for process in servers()} == pids
    await service.stop()
    assert servers() == []


async def is_running(manager, number):
    return (await manager.get_counts()).running == number


async def test_a_start_right_after_the_lock_was_deleted_attaches(make_service, files, servers):
    service = make_service()
    await service.start()
    pids = {process.pid for process in servers()}
    files.group_lock.unlink()
    await service.start()
    assert {process.pid for process in servers()} == pids
    await service.stop()
    assert servers() == []


async def test_after_database_and_files_were_deleted_the_old_service_ends_and_a_new_one_starts(
    make_service, database_path, files, servers, until, database
):
    old = make_service()
    await old.start()
    before = {process.pid for process in servers()}
    await database.aclose()
    shutil.rmtree(files.folder)
    for path in database_path.parent.glob("app.db*"):
        path.unlink()
    async with Database.open(database_path, migrations=JOB_MIGRATIONS):
        new = make_service()
        await new.start()
        await until(lambda: not before & {process.pid for process in servers()})
        assert await new.is_running()
        await new.stop()
        assert servers() == []


async def test_a_service_whose_database_was_deleted_ends(make_service, database_path, servers, until, files):
    service = make_service()
    await service.start()
    for path in database_path.parent.glob("app.db*"):
        if path.is_file():
            path.unlink()
    await until(lambda: servers() == [])
    assert "was deleted; " in files.log.read_text()


async def test_a_service_that_cannot_be_reached_is_stopped_by_the_pid_in_its_lock(make_service, files, servers):
    service = make_service()
    await service.start()
    # A folder that is writable for other users is not used, so the socket is not created again.
    files.folder.chmod(0o777)
    files.socket.unlink()
    await service.stop(0.1)
    assert servers() == []


async def test_a_stopped_service_leaves_the_socket_of_another(make_service, files):
    service = make_service()
    await service.start()
    files.socket.unlink()
    files.socket.write_text("another's")
    files.folder.chmod(0o777)
    await service.stop(0.1)
    assert files.socket.read_text() == "another's"
