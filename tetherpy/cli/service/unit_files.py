"""Unit files of service managers: a systemd user unit, or a launchd agent."""

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
"""Workers have 30 seconds to finish running jobs; then they release the rest, which takes a moment."""


class Manager(StrEnum):
    """The service manager of the user."""

    SYSTEMD = "systemd"
    LAUNCHD = "launchd"

    @classmethod
    def here(cls) -> Manager:
        """Return the service manager of this system."""
        return cls.LAUNCHD if sys.platform == "darwin" else cls.SYSTEMD


def unit_name(database: str) -> str:
    """Return the readable and unique unit name for a database."""
    stem = database.rpartition("/")[2].partition("?")[0] if is_url(database) else Path(database).stem
    readable = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:40] or "database"
    return f"tetherpy-{readable}-{hashlib.sha256(redacted(database).encode(errors='surrogateescape')).hexdigest()[:8]}"


def unit_files(manager: Manager, name: str) -> tuple[Path, ...]:
    """Return the path of the unit, and of the links that enabling it creates."""
    if manager is Manager.LAUNCHD:
        return (Path.home() / "Library" / "LaunchAgents" / f"{name}.plist",)
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "systemd" / "user"
    return folder / f"{name}.service", folder / f"{TARGET}.wants" / f"{name}.service"


def unit_text(manager: Manager, name: str, plan: WorkerPlan) -> str:
    """Return the unit; raises ``UnitTextError`` for paths and options with control characters."""
    for word in (*plan.command, *plan.environment.values(), str(plan.folder)):
        if not word.isprintable():
            raise UnitTextError(word)
    return _systemd(plan) if manager is Manager.SYSTEMD else _launchd(name, plan)


def _systemd(plan: WorkerPlan) -> str:
    # Only the percent sign is special in the folder and the description: they are not split into words.
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
# Only the supervisor gets the signal; it stops its workers.
KillMode=mixed
TimeoutStopSec={STOP_SECONDS}

[Install]
WantedBy={TARGET}
"""


def _word(word: str) -> str:
    """Quote a word for systemd (systemd.syntax, "Quoting"; systemd.unit, "Specifiers")."""
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
