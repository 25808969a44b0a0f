"""From nothing to a tested app: a wheel, an empty folder, and the commands that init prints."""

import os
import pty
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SECONDS = 600
SETTINGS = {
    "PIP_CONSTRAINT": str(ROOT / "requirements.lock"),
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_COMPILE": "1",
    "PIP_QUIET": "1",
}
"""What each pip is told by its environment."""

pytestmark = [pytest.mark.timeout(SECONDS), pytest.mark.long]

USE = """\
from tetherpy import JobDefinition

send = JobDefinition("send", payload=str)
send.new("Ada")
send.new(7)
"""
"""A program whose fifth line is wrong."""

CHECKERS = (
    ("mypy", "--strict", "--python-executable"),
    ("pyrefly", "check", "--output-format", "min-text", "--python-interpreter-path"),
    ("pyright", "--pythonpath"),
)
"""Type checkers, up to the option that names the interpreter of the environment."""


def run(*command: object, cwd: Path, fails: bool = False, **options: object) -> str:
    argv = list(map(str, command))
    done = subprocess.run(
        argv,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
        **options,
    )
    assert bool(done.returncode) is fails, f"{argv}\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a wheel of the library, its dependencies, and another project of its import name."""
    folder = tmp_path_factory.mktemp("wheels")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    pip("download", "--dest", folder, f"{wheel}[cli]", "pip", "setuptools", "wheel", cwd=folder)
    information = "tetherpy-99.0.dist-info"
    with zipfile.ZipFile(folder / "tetherpy-99.0-py3-none-any.whl", "w") as other:
        other.writestr("tetherpy/__init__.py", "")
        other.writestr(f"{information}/METADATA", "Metadata-Version: 2.1\nName: tetherpy\nVersion: 99.0\n")
        other.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        other.writestr(f"{information}/RECORD", "")
    return folder


def pip(*arguments: object, cwd: Path, **options: object) -> str:
    return run(sys.executable, "-m", "pip", *arguments, cwd=cwd, env={**os.environ, **SETTINGS}, **options)


def environment(folder: Path) -> dict[str, str]:
    """Return the variables of a shell in a new virtual environment without pip."""
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
    binaries = folder / Path(sysconfig.get_path("scripts")).name
    shell = {
        **os.environ,
        **SETTINGS,
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(folder),
    }
    for name in ("PYTHONPATH", "TETHERPY_DATABASE", "CI"):
        shell.pop(name, None)
    return shell


def typed(command: str, cwd: Path, environment: dict[str, str]) -> str:
    """Return the output of a command on a terminal."""
    terminal, end = pty.openpty()
    process = subprocess.Popen(command, shell=True, cwd=cwd, env=environment, stdout=end, stderr=end)
    os.close(end)
    printed = b""
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # the last writer has closed
            break
        if not chunk:
            break
        printed += chunk
    os.close(terminal)
    assert process.wait(timeout=30) == 0, printed.decode()
    return printed.decode().replace("\r\n", "\n")


def test_init_creates_a_tested_app_in_an_empty_folder(wheels, tmp_path):
    """Create the app in one environment; installed offline in another, it takes our wheel, not the other project."""
    (wheel,) = wheels.glob("tetherpy_jobs-*.whl")
    offline = ("--no-index", "--find-links", wheels)
    first = environment(tmp_path / "first")
    pip("--python", tmp_path / "first/bin/python", "install", *offline, f"{wheel}[cli]", cwd=tmp_path)
    told = typed("tetherpy init shop", tmp_path, first)
    commands = [line.partition("#")[0].strip() for line in told.partition("Next:\n")[2].splitlines()]
    assert commands[0] == "cd shop"

    shell = environment(tmp_path / "second")
    pip("--python", tmp_path / "second/bin/python", "install", *offline, "./shop", "pip", cwd=tmp_path)
    names = "import importlib.metadata as m; print([each.name for each in m.distributions() if 'tether' in each.name])"
    assert run("python", "-c", names, cwd=tmp_path, env=shell) == "['tetherpy-jobs']\n"

    printed = {command: run(command, cwd=tmp_path / "shop", env=shell, shell=True) for command in commands[1:]}
    assert "COMPLETED step 3 of 3 Hello world!" in printed["python main.py"]
    assert "1 passed" in printed["python -m pytest"]
    assert "0 errors, 0 warnings" in printed["pyright"]
    assert run("tetherpy", "generate", "--check", cwd=tmp_path / "shop", env=shell) == ""
    (tmp_path / "shop/use.py").write_text(USE)
    interpreter = tmp_path / "second/bin/python"
    for checker in CHECKERS:
        found = run(sys.executable, "-m", *checker, interpreter, "use.py", cwd=tmp_path / "shop", fails=True)
        assert re.findall(r"use\.py:(\d+)", found) == ["5"], found
