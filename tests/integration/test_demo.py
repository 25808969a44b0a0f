"""``make demo`` runs the main job on real input, with a crash, and exits with 0 only if all results are correct."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.long
@pytest.mark.parametrize("engine", [pytest.param("sqlite", marks=pytest.mark.new_interpreter), "postgres"])
def test_the_demo_succeeds(engine, request, tmp_path):
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    if engine == "postgres":
        environment["TETHERPY_DATABASE"] = request.getfixturevalue("postgres_url")
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Not as promised" not in done.stdout
    assert "broken_package: FAILED after 3 attempts: SyntaxError" in done.stdout
    assert "Killed in mid-work and run again, each counted once:" in done.stdout
