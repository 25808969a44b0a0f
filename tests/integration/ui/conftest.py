"""What the tests of the screens share: an app over a database of its own, with a worker that is stopped afterwards."""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path

import psutil
import pytest

from tetherpy.database import Database
from tetherpy.jobs import JOB_MIGRATIONS, BackgroundJobManager
from tetherpy.service import BackgroundService

APPS = Path(__file__).parent / "apps"
BOUND = 20.0


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in a folder of the test's own; whatever was launched in it is killed afterwards."""
    monkeypatch.syspath_prepend(str(APPS))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(str(tmp_path) in argument for argument in process.cmdline()):
                process.send_signal(signal.SIGKILL)


@pytest.fixture
def database_path(folder):
    return folder / "app.db"


@pytest.fixture
async def service(database_path):
    """Give the handle to a worker of the tests' own; what it started is stopped."""
    made = BackgroundService(database_path, "screens_worker:initialize")
    yield made
    await made.stop(timeout=0)
    await made.aclose()


@pytest.fixture
async def manager(database_path):
    async with Database.open(database_path, migrations=JOB_MIGRATIONS) as database:
        yield BackgroundJobManager(database)


@pytest.fixture
def until():
    """Return a function that waits until a condition holds, within a bound, while the app runs."""

    async def wait(pilot, condition):
        async with asyncio.timeout(BOUND):
            while not (met := condition()):
                await asyncio.sleep(0.01)
            await pilot.pause()
            return met

    return wait


@pytest.fixture
def shown():
    """Return a function that gives the text on the screen, or of one widget."""

    def text(app, widget=None):
        if widget is not None:
            lines = widget.render_lines(widget.region.reset_offset)
            return "\n".join("".join(segment.text for segment in line) for line in lines)
        update = app.screen._compositor.render_full_update()
        return "\n".join("".join(segment.text for segment in line) for line in update.strips)

    return text


@pytest.fixture
def python():
    return sys.executable
