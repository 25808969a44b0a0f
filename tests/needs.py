"""``python -m tests.needs`` installs the programs that some tests need and that are missing.

It tries each way to install a program. If all fail, it prints which tests will not run and why. Its exit status is
always 0, because all other tests run without these programs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence

import attrs

from tests.browser import chromium

SECONDS = 600


@attrs.frozen
class Need:
    """A program, the tests that need it, and the ways to install it: by name, the command."""

    program: str
    tests: str
    is_there: Callable[[], bool]
    ways: Sequence[tuple[str, Sequence[str]]]

    def meet(self) -> None:
        """Find the program or install it."""
        if self.is_there():
            return
        reasons: list[str] = []
        for name, command in self.ways:
            print(f"{self.tests}: no {self.program} here, trying {name}.", flush=True)
            reason = attempt(command)
            if reason is None and self.is_there():
                return
            reasons.append(f"{name}: {reason or 'it installed none'}")
        why = "; ".join(reasons) or "no way to install one is known here"
        print(f"{self.tests} will not run, because there is no {self.program} ({why}).")


def attempt(command: Sequence[str]) -> str | None:
    """Run a command; return the last line of its errors, None if it succeeded."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = (done.stderr or done.stdout).strip().splitlines()
    return None if done.returncode == 0 else (lines[-1] if lines else f"exit code {done.returncode}")


def debian(packages: str) -> list[tuple[str, Sequence[str]]]:
    """Return the command that installs Debian packages, if this system has one."""
    if not (shutil.which("apt-get") and os.geteuid() == 0):
        return []
    return [(f"apt-get install {packages}", ("sh", "-c", f"apt-get update -q && apt-get install -qy {packages}"))]


def needs() -> list[Need]:
    """Return the programs that some tests need in addition to Python packages."""
    # Playwright installs a headless shell with its Chromium; the tests prefer it, because it costs less.
    playwrights = ("playwright install", (sys.executable, "-m", "playwright", "install", "chromium"))
    chromiums = [*debian(f"chromium {chromium.SHELL}"), playwrights, *debian("chromium")]
    return [
        Need("Chromium", "Browser tests", lambda: chromium.find() is not None, chromiums),
        Need("dbus-daemon", "Notification tests", lambda: shutil.which("dbus-daemon") is not None, debian("dbus")),
    ]


if __name__ == "__main__":
    for need in needs():
        need.meet()
