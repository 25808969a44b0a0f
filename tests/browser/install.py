"""``python -m tests.browser.install``: see to it that the browser tests find a Chromium.

It does nothing if there is one. Otherwise it tries Playwright's own, then Debian's package, and at
last says in one line why the browser tests will not run. It never fails: the other tests need none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from tests.browser import chromium

SECONDS = 600


def main() -> None:
    """Find a browser or install one."""
    if chromium.find() is not None:
        return
    reasons: list[str] = []
    for name, command in ways():
        print(f"Browser tests: no Chromium here, trying {name}.", flush=True)
        reason = attempt(command)
        if reason is None and chromium.find() is not None:
            return
        reasons.append(f"{name}: {reason or 'it installed none'}")
    print(f"The browser tests will not run, because no Chromium could be installed ({'; '.join(reasons)}).")


def ways() -> list[tuple[str, Sequence[str]]]:
    """Return the ways to install one that this machine allows."""
    found: list[tuple[str, Sequence[str]]] = [
        ("playwright install", (sys.executable, "-m", "playwright", "install", "chromium"))
    ]
    if shutil.which("apt-get") and os.geteuid() == 0:
        found.append(("apt-get install", ("sh", "-c", "apt-get update -q && apt-get install -qy chromium")))
    return found


def attempt(command: Sequence[str]) -> str | None:
    """Run a command; return the last line of what it complained of, None if it succeeded."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = (done.stderr or done.stdout).strip().splitlines()
    return None if done.returncode == 0 else (lines[-1] if lines else f"exit code {done.returncode}")


if __name__ == "__main__":
    main()
