import contextlib
import os
import signal
from pathlib import Path

import pytest

from tests.support.service_processes import kill_servers, server_processes
from tests.support.waiting import until
from tetherpy.database import Database
from tetherpy.jobs import (
    JOB_MIGRATIONS,
    BackgroundJobManager,
    BackgroundJobStatus,
    IllegalJobTransitionError,
    engine_of,
)
from tetherpy.service import BackgroundService
from tetherpy.service.protocol.service_files import ServiceFiles

APPS = Path(__file__).parent / "apps"
BOUND = 25.0


@pytest.fixture(autouse=True)
def apps_importable(monkeypatch):
    monkeypatch.syspath_prepend(str(APPS))


@pytest.fixture(scope="module")
def shared_path(tmp_path_factory):
    """Return the path of the database that the tests with a ``shared_service`` share."""
    path = tmp_path_factory.mktemp("shared") / "app.db"
    yield path
    kill_servers(path)


@pytest.fixture
def database_path(request, tmp_path):
    """Return the path of the test's database; the processes that serve it are killed afterwards."""
    if "shared_service" in request.fixturenames:
        yield request.getfixturevalue("shared_path")
        return
    path = tmp_path / "app.db"
    yield path
    kill_servers(path)


@pytest.fixture
def database_name(database_path):
    """Return the database as the processes of its service find it in the environment."""
    return str(database_path.resolve())


@pytest.fixture
async def make_service(database_path):
    """Return a maker of services for this test's database."""
    async with contextlib.AsyncExitStack() as stack:

        def make(callback="plain_worker:initialize", **options):
            service = BackgroundService(database_path, callback, **options)
            stack.push_async_callback(service.aclose)
            return service

        yield make


@pytest.fixture
async def shared_service(make_service, manager):
    """Return a function that starts one service for all tests of a module, and attaches to it in the next test.

    No job is left after a test: if one does not end when it is cancelled, the service is stopped.
    """
    started = []

    async def start(callback, **options):
        service = make_service(callback, **options)
        await service.start()
        started.append(service)
        return service

    yield start
    for service in started:
        await leave_no_jobs(service, manager)


async def leave_no_jobs(service, manager):
    for job in await manager.get_all_jobs(limit=None, order_by_creation="ASC"):
        with contextlib.suppress(IllegalJobTransitionError):  # the process has ended
            await manager.cancel_job(job.id)

    async def none_runs():
        return (await manager.get_counts()).running == 0

    try:
        await until(none_runs, 1.0)
    except TimeoutError:
        await service.stop(0)
    for status in set(BackgroundJobStatus) - {BackgroundJobStatus.RUNNING}:
        await manager.delete_jobs_by_status(status)


@pytest.fixture
async def database(database_path):
    async with Database.open(database_path, migrations=JOB_MIGRATIONS) as db:
        yield db


@pytest.fixture
def worker_log(database_path):
    """Return the path of the log of the workers that serve this test's database."""
    return ServiceFiles.of(database_path).log


@pytest.fixture
def engine(database):
    return engine_of(database)


@pytest.fixture
def manager(database):
    return BackgroundJobManager(database)


@pytest.fixture
def finished(manager):
    """Return a function that waits for a job's end."""

    async def wait(job_id):
        return await manager.wait_for(job_id, timeout=BOUND)

    return wait


@pytest.fixture(name="until")
def until_fixture():
    return until


@pytest.fixture
def servers(database_path):
    """Return a function that lists the processes which serve the database."""
    return lambda: server_processes(database_path)


@pytest.fixture
def worker_pids(engine):
    async def pids():
        return [worker.pid for worker in await engine.workers()]

    return pids


@pytest.fixture
def kill():
    return lambda pid: os.kill(pid, signal.SIGKILL)
