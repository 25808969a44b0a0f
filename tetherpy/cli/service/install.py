"""``tetherpy service install`` and ``uninstall``."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from tetherpy.database import redacted

from ..errors import NotInstalledError
from ..output.formats import emit, tell_next
from ..parameters.database_location import find_database
from ..parameters.options import DatabaseOption
from .service_report import handle
from .unit_files import Manager, unit_files, unit_name, unit_text
from .worker_options import WorkerPlan, full_address, with_worker_options

ManagerOption: TypeAlias = Annotated[
    Manager | None, typer.Option(help="The service manager; that of this system if not given.", show_default=False)
]


@with_worker_options
async def install_service(
    *,
    manager: ManagerOption = None,
    print_: Annotated[bool, typer.Option("--print", help="Print the unit without writing it.")] = False,
    database: DatabaseOption = None,
    **options: Any,
) -> None:
    """Start the workers at log-in, and restart them if they fail.

    Writes a systemd user unit, or on macOS a launchd agent, and prints its path and the command that enables it.
    """
    plan = WorkerPlan.of(database, **options)
    manager = manager or Manager.here()
    name = unit_name(plan.database)
    text = unit_text(manager, name, plan)
    if print_:
        emit(text, end="")
        return
    path = unit_files(manager, name)[0]
    next_commands = _to_enable(manager, name, path)
    if await handle(plan.database).is_running():
        next_commands.insert(0, "tetherpy service stop")  # a database has one service
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_for_owner(path, text)
    emit(str(path))
    tell_next(next_commands)


def uninstall_service(manager: ManagerOption = None, database: DatabaseOption = None) -> None:
    """Remove the installed unit; running workers continue until they are stopped."""
    address = full_address(find_database(database))
    manager = manager or Manager.here()
    name = unit_name(address)
    path, *links = unit_files(manager, name)
    if not path.exists():
        raise NotInstalledError(redacted(address), str(path))
    for file in (*links, path):
        file.unlink(missing_ok=True)
    emit(str(path))
    tell_next(_to_forget(manager, name))


def _write_for_owner(path: Path, text: str) -> None:
    """Write atomically, readable by this user only: a URL may contain a password."""
    unfinished = path.with_name(f"{path.name}.new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(path)


def _to_enable(manager: Manager, name: str, path: Path) -> list[str]:
    """Return the commands that enable the unit; an earlier launchd agent is removed first."""
    if manager is Manager.SYSTEMD:
        return ["systemctl --user daemon-reload", f"systemctl --user enable --now {name}"]
    forgotten = [f"launchctl bootout gui/{os.getuid()}/{name}"] if path.exists() else []
    return [*forgotten, f"launchctl bootstrap gui/{os.getuid()} {shlex.quote(str(path))}"]


def _to_forget(manager: Manager, name: str) -> list[str]:
    """Return the commands that make the service manager forget a removed unit."""
    if manager is Manager.SYSTEMD:
        return [f"systemctl --user stop {name}", "systemctl --user daemon-reload"]
    return [f"launchctl bootout gui/{os.getuid()}/{name}"]
