"""The database file is deleted or replaced under a running service."""

import pytest

from tests.support.database_files import delete, restore
from tetherpy.database import Database
from tetherpy.jobs import JOB_MIGRATIONS, BackgroundJobManager, BackgroundJobStatus


@pytest.mark.parametrize("spoil", [delete, restore])
async def test_jobs_of_the_file_at_the_configured_path_run(make_service, database_path, spoil):
    service = make_service()
    await service.start()
    async with Database.open(database_path, migrations=JOB_MIGRATIONS) as db:
        manager = BackgroundJobManager(db)
        await manager.wait_for(await manager.enqueue("echo", 1), 25)
        (worker,) = await manager.get_workers()
        spoil(database_path)
    async with Database.open(database_path, migrations=JOB_MIGRATIONS) as db:
        manager = BackgroundJobManager(db)
        job_id = await manager.enqueue("echo", 2)
        await service.start()
        assert (await manager.wait_for(job_id, 25)).status == BackgroundJobStatus.COMPLETED
    log = database_path.with_name("app.db-service") / "worker.log"
    assert f"replaced while process {worker.pid} had it open" in log.read_text()
    await service.stop()


async def test_a_service_whose_file_is_gone_ends_and_creates_no_other(make_service, database_path, until, servers):
    service = make_service()
    await service.start()
    delete(database_path)
    await until(lambda: not servers())

    async def is_over():
        return not await service.is_running()

    await until(is_over)  # a process shows no command line before it has dropped its lock
    assert not database_path.exists()
    log = database_path.with_name("app.db-service") / "worker.log"
    assert "was deleted; its service, process" in log.read_text()
