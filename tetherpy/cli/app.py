"""The registry of all commands; each is loaded when it runs."""

from __future__ import annotations

import signal
import sys

from .output.error_reporting import INTERRUPTED, guarded

COMMANDS = {
    "init": ("init:initialize", "Create a new app that runs."),
    "generate": ("generate:generate", "Generate providers from tether.yaml."),
    "migrate": ("migrate:migrate", "Create or upgrade the tables of the jobs."),
    "worker": ("service.worker:run_in_foreground", "Run jobs in the foreground, until a signal."),
    "service": ("service.group:group", "Run workers in the background."),
    "jobs": ("jobs.group:group", "Inspect and manage jobs."),
    "engine": ("engine:group", "Move jobs from one engine to another."),
    "dashboard": ("dashboard:show_dashboard", "Show jobs and workers in a browser."),
    "top": ("top:show_top", "Show jobs and workers in a terminal app."),
    "graph": ("graph:graph", "Draw the providers of a container."),
    "doctor": ("doctor.command:examine", "Examine a database, its workers and this machine."),
}
"""Each command: its function or group in this package, and its summary in the help."""


def main() -> None:
    """Run the command line and exit: 0, 1 (it failed, one line says why), 2 (usage) or 130 (Ctrl-C)."""
    code = guarded(_run)
    if code == INTERRUPTED:
        # A second Ctrl-C must not print a traceback of the interpreter's shutdown.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def _run() -> int:
    # Imported here, so that Ctrl-C during these imports prints no traceback either.
    from .root import root

    result: object = root(COMMANDS).main(prog_name="tetherpy", standalone_mode=False)
    return result if isinstance(result, int) else 0
