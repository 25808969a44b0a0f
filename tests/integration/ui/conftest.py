"""Fixtures of the screens: an app with a separate database, and a worker that is stopped afterwards."""

import asyncio
import contextlib
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tetherpy.database import Database
from tetherpy.jobs import JOB_MIGRATIONS, BackgroundJobManager
from tetherpy.service import BackgroundService

APPS = Path(__file__).parent / "apps"
ROOT = Path(__file__).parents[3]
BOUND = 30.0


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in a temporary folder, with a database there; processes launched in it are killed afterwards."""
    monkeypatch.syspath_prepend(str(APPS))
    monkeypatch.chdir(tmp_path)
    # The generated providers would open that of the checkout, whose tether.yaml is next to them.
    monkeypatch.setenv("TETHERPY_DATABASE", str(tmp_path / "app.db"))
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
    """Yield a handle to a worker of the tests, which is stopped at the end."""
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
                await asyncio.sleep(0.05)
            await pilot.pause()
            return met

    return wait


@pytest.fixture
def shown():
    """Return a function that returns the text on the screen, or of one widget."""

    def text(app, widget=None):
        if widget is not None:
            lines = widget.render_lines(widget.region.reset_offset)
            return "\n".join("".join(segment.text for segment in line) for line in lines)
        update = app.screen._compositor.render_full_update()
        return "\n".join("".join(segment.text for segment in line) for line in update.strips)

    return text


@pytest.fixture
def on_terminal(folder):
    """Return a function that runs Python on a pseudo terminal, and presses a key when output appears."""

    def run(*arguments, until, key):
        main, other = pty.openpty()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=folder, env=environment, stdin=other, stdout=other, stderr=other
        )
        os.close(other)
        try:
            output = asyncio.run(drive(main, until, key))
            return process.wait(timeout=BOUND), output
        finally:
            process.kill()
            process.wait()
            os.close(main)

    return run


async def drive(terminal, until, key):
    """Press a key when the app has drawn, and return its output."""
    loop = asyncio.get_running_loop()
    output = bytearray()
    ended = loop.create_future()
    sent = False

    def readable():
        nonlocal sent
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the other side was closed
            data = b""
        output.extend(data)
        if not data:
            loop.remove_reader(terminal)
            ended.set_result(None)
        elif not sent and until in output:
            sent = True
            os.write(terminal, key)

    loop.add_reader(terminal, readable)
    async with asyncio.timeout(BOUND):
        await ended
    return bytes(output)
