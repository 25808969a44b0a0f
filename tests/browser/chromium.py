"""Where a Chromium is, and how it is started.

Its headless shell is the same engine without what a browser has around it: a page costs a third of the time in it.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

SHELL = "chromium-headless-shell"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WHY_NOT = "no Chromium was found: run `python -m tests.needs`, as root on Debian or with a network"


def find() -> str | None:
    """Return the path of a full Chromium: that of the system, or the one that Playwright has installed."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    browser = named_by_playwright()
    return str(browser) if browser and browser.exists() else None


def find_shell() -> str | None:
    """Return the path of a headless shell, of the system or Playwright; that of a full Chromium if there is none."""
    if found := shutil.which(SHELL):
        return found
    if browser := named_by_playwright():
        revision = browser.parents[1]
        folder = revision.with_name(revision.name.replace("chromium", "chromium_headless_shell"))
        for shell in folder.glob("*/chrome-headless-shell"):
            return str(shell)
    return find()


def named_by_playwright() -> Path | None:
    """Return the path at which Playwright installs Chromium."""
    return _ask_playwright(os.environ.get("PLAYWRIGHT_BROWSERS_PATH"))


@functools.cache
def _ask_playwright(_folder: str | None) -> Path | None:
    """Ask once for each folder of browsers: the answer takes a second, and a Node."""
    script = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
    )
    asked = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    path = asked.stdout.strip()
    return Path(path) if path else None
