"""From nothing to a tested app: a wheel in a new environment, an empty folder, and the commands that init prints."""

import os
import pty
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SECONDS = 600

pytestmark = [pytest.mark.timeout(SECONDS), pytest.mark.long]


def run(*command: object, cwd: Path, **options: object) -> str:
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
    assert not done.returncode, f"{argv}\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the variables of a shell in an environment that has only the wheel."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist", cwd=ROOT)
    (wheel,) = (folder / "dist").glob("*.whl")
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    binaries = folder / "venv" / Path(sysconfig.get_path("scripts")).name
    lock = {
        "PIP_CONSTRAINT": str(ROOT / "requirements.lock"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_COMPILE": "1",
    }
    shell = {
        **os.environ,
        **lock,
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(folder / "venv"),
    }
    for name in ("PYTHONPATH", "TETHERPY_DATABASE", "CI"):
        shell.pop(name, None)
    run(binaries / "python", "-m", "pip", "install", "--quiet", f"{wheel}[cli]", cwd=folder, env=shell)
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


def test_init_creates_a_tested_app_in_an_empty_folder(environment, tmp_path):
    told = typed("tetherpy init shop", tmp_path, environment)
    commands = [line.partition("#")[0].strip() for line in told.partition("Next:\n")[2].splitlines()]
    assert commands[0] == "cd shop"
    printed = {command: run(command, cwd=tmp_path / "shop", env=environment, shell=True) for command in commands[1:]}
    assert "COMPLETED step 3 of 3 Hello world!" in printed["python main.py"]
    assert "1 passed" in printed["python -m pytest"]
    assert "0 errors, 0 warnings" in printed["pyright"]
    assert run("tetherpy", "generate", "--check", cwd=tmp_path / "shop", env=environment) == ""
