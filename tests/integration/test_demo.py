"""``make demo`` runs the main job on real input, through a crash, and exits 0 only if all was as promised."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_demo_is_as_promised():
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Not as promised" not in done.stdout
    assert "broken_package: FAILED after 3 attempts: SyntaxError" in done.stdout
    assert "Killed in mid-work and run again, each counted once:" in done.stdout
