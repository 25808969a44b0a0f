"""The suite of the service once more, on a server: the same tests, with this folder's fixtures in place of its own."""

import contextlib
from pathlib import Path

import pytest

from tests.integration.service import conftest as on_a_file
from tetherpy.jobs import open_database
from tetherpy.service import BackgroundService
from tetherpy.service.files import ServiceFiles

APPS = Path(on_a_file.__file__).parent / "apps"


@pytest.fixture(autouse=True)
def apps_importable(monkeypatch):
    monkeypatch.syspath_prepend(str(APPS))


@pytest.fixture
async def make_service(postgres_url, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    async with contextlib.AsyncExitStack() as stack:

        def make(callback="plain_worker:initialize", **options):
            service = BackgroundService(postgres_url, callback, **options)
            stack.push_async_callback(service.aclose)
            stack.push_async_callback(service.stop, 0)
            return service

        yield make


@pytest.fixture
def worker_log(make_service, postgres_url):
    """Return the path of the log; ``make_service`` has set the folder that it lies in."""
    return ServiceFiles.of(postgres_url).log


@pytest.fixture
async def database(postgres_url):
    async with open_database(postgres_url) as db:
        yield db


# The same of whichever database is open.
engine = on_a_file.engine
manager = on_a_file.manager
finished = on_a_file.finished
until = on_a_file.until_fixture
worker_pids = on_a_file.worker_pids
kill = on_a_file.kill
