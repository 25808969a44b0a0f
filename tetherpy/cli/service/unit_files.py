"""What a service manager is told: for systemd a user unit, for launchd an agent."""

from __future__ import annotations

import hashlib
import os
import plistlib
import re
import sys
from enum import StrEnum
from pathlib import Path

from tetherpy.database import is_url, redacted

from ..errors import UnitTextError
from .worker_options import WorkerPlan

TARGET = "default.target"
STOP_SECONDS = 40
"""A worker has 30 to finish what runs; then it hands back what is left, which takes a moment."""


class Manager(StrEnum):
    """Whoever starts processes for the user."""

    SYSTEMD = "systemd"
    LAUNCHD = "launchd"

    @classmethod
    def here(cls) -> Manager:
        """Return the one of this system."""
        return cls.LAUNCHD if sys.platform == "darwin" else cls.SYSTEMD


def unit_name(database: str) -> str:
    """Return the name under which a database's workers are installed: readable, and its alone."""
    stem = database.rpartition("/")[2].partition("?")[0] if is_url(database) else Path(database).stem
    readable = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:40] or "database"
    return f"tetherpy-{readable}-{hashlib.sha256(redacted(database).encode(errors='surrogateescape')).hexdigest()[:8]}"


def unit_files(manager: Manager, name: str) -> tuple[Path, ...]:
    """Return where the manager looks for it, then what it makes of it there when it is enabled."""
    if manager is Manager.LAUNCHD:
        return (Path.home() / "Library" / "LaunchAgents" / f"{name}.plist",)
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "systemd" / "user"
    return folder / f"{name}.service", folder / f"{TARGET}.wants" / f"{name}.service"


def unit_text(manager: Manager, name: str, plan: WorkerPlan) -> str:
    """Write the unit; ``UnitTextError`` for a path or option with control characters, which neither can hold."""
    for word in (*plan.command, *plan.environment.values(), str(plan.folder)):
        if not word.isprintable():
            raise UnitTextError(word)
    return _systemd(plan) if manager is Manager.SYSTEMD else _launchd(name, plan)


def _systemd(plan: WorkerPlan) -> str:
    # Of the folder and the description nothing but the percent sign has a meaning: they are no words.
    folder, subject = (text.replace("%", "%%") for text in (str(plan.folder), redacted(plan.database)))
    environment = " ".join(_word(f"{name}={value}") for name, value in plan.environment.items())
    command = " ".join(_word(word).replace("$", "$$") for word in plan.command)
    return f"""\
# Written by: tetherpy service install
[Unit]
Description=Background jobs of {subject}

[Service]
Type=exec
WorkingDirectory={folder}
Environment={environment}
ExecStart={command}
Restart=on-failure
RestartSec=5
# The supervisor alone is told to stop, and tells its workers.
KillMode=mixed
TimeoutStopSec={STOP_SECONDS}

[Install]
WantedBy={TARGET}
"""


def _word(word: str) -> str:
    """Quote a word as systemd reads it (systemd.syntax, "Quoting"; systemd.unit, "Specifiers")."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _launchd(name: str, plan: WorkerPlan) -> str:
    agent = {
        "Label": name,
        "ProgramArguments": list(plan.command),
        "EnvironmentVariables": dict(plan.environment),
        "WorkingDirectory": str(plan.folder),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ExitTimeOut": STOP_SECONDS,
    }
    return plistlib.dumps(agent).decode()
