"""The commands and code of README.md."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.new_interpreter
def test_the_app_runs_as_printed(tmp_path):
    (program,) = blocks("python")
    (tmp_path / "app.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    promised = re.search(r"last line it prints is `(.*)`", README).group(1)
    assert done.stdout.splitlines()[-1] == promised
    assert done.stderr == ""


def test_the_app_has_about_thirty_lines_of_code():
    (program,) = blocks("python")
    assert len([line for line in program.splitlines() if line.strip()]) <= 36


def test_every_command_shown_is_a_make_target():
    makefile = (ROOT / "Makefile").read_text()
    commands = [line for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    assert commands
    for command in commands:
        program, target = command[2:].split()[:2]
        assert program == "make"
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), command


def test_every_path_named_exists():
    paths = re.findall(r"`((?:docs|examples)/[\w/-]*)`", README)
    assert paths
    for path in paths:
        assert (ROOT / path).is_dir(), path
