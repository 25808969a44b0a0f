"""The tests of the service, repeated on a server with the fixtures of this folder."""

import asyncio
import contextlib
from pathlib import Path

import attrs
import pytest

from tests.integration.service import conftest as on_a_file
from tetherpy.jobs import open_database
from tetherpy.service import BackgroundService
from tetherpy.service.protocol.service_files import ServiceFiles

APPS = Path(on_a_file.__file__).parent / "apps"


@pytest.fixture(autouse=True)
def apps_importable(monkeypatch):
    monkeypatch.syspath_prepend(str(APPS))


@attrs.frozen
class Place:
    """The database of a test, and the folder for the files of its service."""

    url: str
    state: Path


@contextlib.contextmanager
def made_place(job_server, state):
    """Create a database; its service is stopped at the end."""
    with job_server.server.database(job_server.template) as url, pytest.MonkeyPatch.context() as patch:
        yield Place(url, state)
        patch.setenv("XDG_STATE_HOME", str(state))
        asyncio.run(BackgroundService(url, "no:callback").stop(timeout=0))


@pytest.fixture(scope="module")
def shared_place(job_server, tmp_path_factory):
    """Yield the database and the folder of all tests with a ``shared_service``."""
    with made_place(job_server, tmp_path_factory.mktemp("state")) as place:
        yield place


@pytest.fixture
def place(request, job_server, tmp_path, monkeypatch):
    with contextlib.ExitStack() as stack:
        if "shared_service" in request.fixturenames:
            place = request.getfixturevalue("shared_place")
        else:
            place = stack.enter_context(made_place(job_server, tmp_path / "state"))
        monkeypatch.setenv("XDG_STATE_HOME", str(place.state))
        yield place


@pytest.fixture
def database_name(place):
    return place.url


@pytest.fixture
async def make_service(place):
    async with contextlib.AsyncExitStack() as stack:

        def make(callback="plain_worker:initialize", **options):
            service = BackgroundService(place.url, callback, **options)
            stack.push_async_callback(service.aclose)
            return service

        yield make


@pytest.fixture
def worker_log(place):
    return ServiceFiles.of(place.url).log


@pytest.fixture
async def database(place):
    async with open_database(place.url) as db:
        yield db


# The same for the open database.
engine = on_a_file.engine
manager = on_a_file.manager
shared_service = on_a_file.shared_service
finished = on_a_file.finished
until = on_a_file.until_fixture
worker_pids = on_a_file.worker_pids
kill = on_a_file.kill
