"""``tetherpy service install`` and ``uninstall``."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from tetherpy.database import redacted

from ..errors import NotInstalledError
from ..location import find_database
from ..options import DatabaseOption
from ..output import emit, remark
from .plan import (
    CallbackOption,
    ConcurrencyOption,
    ProcessesOption,
    QueueOption,
    RetentionOption,
    WorkerPlan,
    full_address,
)
from .unit import Manager, unit_files, unit_name, unit_text

ManagerOption: TypeAlias = Annotated[
    Manager | None, typer.Option(help="Who starts the workers; this system's own if not given.", show_default=False)
]


def install_service(
    callback: CallbackOption = None,
    processes: ProcessesOption = 1,
    concurrency: ConcurrencyOption = 10,
    queue: QueueOption = [],  # noqa: B006 - typer reads it, nobody changes it
    retention: RetentionOption = None,
    manager: ManagerOption = None,
    print_: Annotated[bool, typer.Option("--print", help="Print what would be written, and write nothing.")] = False,
    database: DatabaseOption = None,
) -> None:
    """Have the system start the workers when you log in, and start them again if they fail.

    Writes a systemd user unit, or on macOS a launchd agent, and prints its path.
    """
    plan = WorkerPlan.of(database, callback, processes, concurrency, queue, retention)
    manager = manager or Manager.here()
    name = unit_name(plan.database)
    text = unit_text(manager, name, plan)
    if print_:
        emit(text, end="")
        return
    path = unit_files(manager, name)[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_for_owner(path, text)
    emit(str(path))
    remark(f"Start them now: {_start_command(manager, name, path)}")


def uninstall_service(manager: ManagerOption = None, database: DatabaseOption = None) -> None:
    """Take back what install has written; workers that run go on until they are stopped."""
    address = full_address(find_database(database))
    manager = manager or Manager.here()
    name = unit_name(address)
    path, *links = unit_files(manager, name)
    if not path.exists():
        raise NotInstalledError(redacted(address), str(path))
    for file in (*links, path):
        file.unlink(missing_ok=True)
    emit(str(path))
    remark(f"Stop them now: {_stop_command(manager, name)}")


def _write_for_owner(path: Path, text: str) -> None:
    """Write whole or not at all, and readable by this user alone: an address may hold a password."""
    unfinished = path.with_name(f"{path.name}.new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(path)


def _start_command(manager: Manager, name: str, path: Path) -> str:
    if manager is Manager.SYSTEMD:
        return f"systemctl --user daemon-reload && systemctl --user enable --now {name}"
    return f"launchctl bootstrap gui/{os.getuid()} {shlex.quote(str(path))}"


def _stop_command(manager: Manager, name: str) -> str:
    if manager is Manager.SYSTEMD:
        return f"systemctl --user stop {name} && systemctl --user daemon-reload"
    return f"launchctl bootout gui/{os.getuid()}/{name}"
