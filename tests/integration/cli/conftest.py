import asyncio
import codecs
import contextlib
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import attrs
import pytest

from tests.forked_interpreters import control_terminal
from tests.support.service_processes import kill_servers
from tetherpy.cli.app import main
from tetherpy.jobs import BackgroundJobManager, open_engine
from tetherpy.service import BackgroundService

APPS = Path(__file__).parent / "apps"
PROGRAM = [sys.executable, "-m", "tetherpy.cli"]
BOUND = 30.0
DRAWN = """
from tetherpy import Provider, ProviderContainer, StateProvider

name = StateProvider(lambda ref: "Ada", name="name")
greeting = Provider(lambda ref: f"Hello {ref.watch(name)}", name="greeting")

def make():
    container = ProviderContainer()
    container.read(greeting)
    return container
"""


class Ran(NamedTuple):
    """The result of a command."""

    code: int
    out: str
    err: str

    @property
    def lines(self):
        return self.out.splitlines()


@attrs.define
class Shell:
    """Run the command line as a user does: real processes, in a folder, with pipes or a terminal."""

    folder: Path
    environment: dict[str, str]
    started: list[subprocess.Popen] = attrs.Factory(list)

    def __call__(self, *arguments, stdin="", **environment):
        done = subprocess.run(
            [*PROGRAM, *map(str, arguments)],
            cwd=self.folder,
            env={**self.environment, **environment},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=BOUND,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments):
        """Start a command whose output is read while it runs."""
        process = subprocess.Popen(
            [*PROGRAM, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def pipeline(self, command):
        """Run a line of bash with ``tetherpy``; the exit code is that of the first command."""
        script = f'tetherpy() {{ {PROGRAM[0]} -m tetherpy.cli "$@"; }}; {command}; exit ${{PIPESTATUS[0]}}'
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=BOUND,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    @contextlib.contextmanager
    def terminal(self, *arguments, **environment):
        """Start a command on a separate pseudo terminal."""
        descriptor, theirs = pty.openpty()
        process = subprocess.Popen(
            [*PROGRAM, *map(str, arguments)],
            cwd=self.folder,
            env={**self.environment, "TERM": "xterm", **environment},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=control_terminal,
        )
        os.close(theirs)
        terminal = Terminal(process, descriptor)
        try:
            yield terminal
        finally:
            terminal.close()


@attrs.define
class Terminal:
    """A command on a pseudo terminal: its output and its input."""

    process: subprocess.Popen
    descriptor: int
    shown: str = ""
    decoder: codecs.IncrementalDecoder = attrs.Factory(codecs.getincrementaldecoder("utf-8"))

    def type(self, text):
        os.write(self.descriptor, text.encode())

    def signal(self, number):
        self.process.send_signal(number)

    def until(self, text):
        """Read until the text appears."""
        deadline = time.monotonic() + BOUND
        while text not in self.shown:
            assert time.monotonic() < deadline, f"{text!r} is not in {self.shown!r}"
            assert self._read(deadline), f"it ended, and {text!r} is not in {self.shown!r}"
        return self.shown

    def end(self):
        """Read to the end and return the exit code."""
        deadline = time.monotonic() + BOUND
        while self._read(deadline):
            assert time.monotonic() < deadline, self.shown
        return self.process.wait(BOUND)

    def interrupt(self):
        """Press Ctrl-C until the command ends; return the exit code.

        Python may handle a signal that arrives just before it waits for a line only with the next signal.
        """
        deadline = time.monotonic() + BOUND
        while time.monotonic() < deadline:
            self.type("\x03")
            pause = time.monotonic() + 1.0
            while (left := pause - time.monotonic()) > 0:
                if select.select([self.descriptor], [], [], left)[0] and not self._read(deadline):
                    return self.process.wait(BOUND)
        raise AssertionError(f"it does not end: {self.shown!r}")

    def _read(self, deadline):
        ready, _, _ = select.select([self.descriptor], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"no more output after {self.shown!r}"
        try:
            data = os.read(self.descriptor, 65536)
        except OSError:  # Linux raises EIO when the other side is closed
            return False
        self.shown += self.decoder.decode(data)  # the data may end within a character
        return bool(data)

    def close(self):
        self.process.kill()
        self.process.wait(BOUND)
        os.close(self.descriptor)


@pytest.fixture
def database(tmp_path):
    """Yield the path of a database; processes that serve it are killed afterwards."""
    path = tmp_path / "shop.db"
    yield path
    kill_servers(path)


@pytest.fixture
def shell(database, tmp_path):
    """Yield a shell with the database in its environment and the app on its import path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TETHERPY", "NO_COLOR", "XDG"))}
    environment = {
        **kept,
        "TETHERPY_DATABASE": str(database),
        "PYTHONPATH": os.pathsep.join([str(APPS), str(APPS.parents[3]), os.environ.get("PYTHONPATH", "")]),
        "HOME": str(tmp_path / "home"),
        "COLUMNS": "120",
        "LINES": "40",
    }
    shell = Shell(tmp_path, environment)
    yield shell
    for process in shell.started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def command(database, monkeypatch, tmp_path, capfd):
    """Run the program in this process: importing takes most of the time of a command."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TETHERPY_DATABASE", str(database))
    monkeypatch.setenv("PYTHONPATH", str(APPS))
    monkeypatch.setattr(sys, "path", [*sys.path, str(APPS)])

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tetherpy", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return Ran(end.value.code, *capfd.readouterr())

    return run


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Create a module ``drawn`` with two providers and a container."""
    (tmp_path / "drawn.py").write_text(DRAWN)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("drawn", None)


@pytest.fixture
def jobs(database):
    """Return a function that runs a coroutine with a manager of the jobs; it creates the database."""

    def run(action):
        async def body():
            async with open_engine(database) as engine:
                return await action(BackgroundJobManager(engine))

        return asyncio.run(body())

    return run


@pytest.fixture
def enqueue(jobs):
    return lambda *arguments, **options: str(jobs(lambda manager: manager.enqueue(*arguments, **options)))


@pytest.fixture
def reaches(jobs):
    """Return a function that waits until a job reports a progress."""

    def wait(job_id, message):
        async def look(manager):
            async with asyncio.timeout(BOUND):
                while (await manager.get_job_by_id(int(job_id))).progress_message != message:
                    await asyncio.sleep(0.01)

        jobs(look)

    return wait


@pytest.fixture
def empty(shell, jobs):
    """Yield the shell, with a database without jobs."""
    jobs(lambda manager: manager.get_counts())
    return shell


@pytest.fixture
def served(empty, database, monkeypatch):
    """Yield the shell, with running workers."""
    monkeypatch.syspath_prepend(APPS)

    async def start():
        service = BackgroundService(database, "shop:initialize")
        await service.start()
        await service.aclose()

    asyncio.run(start())
    return empty
