"""``tetherpy top``."""

from __future__ import annotations

import sys

from tetherpy.database import redacted
from tetherpy.service import BackgroundService

from .errors import CallbackUnknownError, ExtraMissingError, NoTerminalError
from .location import existing_database
from .options import DatabaseOption
from .service.plan import CallbackOption, WorkerPlan, full_address
from .service.state import handle


async def show_top(callback: CallbackOption = None, database: DatabaseOption = None) -> int:
    """Show jobs and workers in the whole terminal, and steer them by keys, until q."""
    try:
        from tetherpy.ui import DesktopNotifications, providers_of
        from tetherpy.ui.textual import JobsApp
    except ModuleNotFoundError as error:
        raise ExtraMissingError("textual", error.name) from error
    address = full_address(existing_database(database))
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NoTerminalError
    plan = _plan(database, callback)
    if plan is not None:
        plan.move_in()

    def service() -> BackgroundService:
        return handle(address) if plan is None else BackgroundService(address, plan.callback, **plan.options)

    async with DesktopNotifications() as desktop:
        providers = providers_of(address, service, startable=plan is not None)
        app = JobsApp(providers, title=_end_of(redacted(address)), notifications=desktop)
        await app.run_async()
    return app.return_code or 0


def _plan(database: str | None, callback: str | None) -> WorkerPlan | None:
    """Return how to start workers; None where nobody says what they do."""
    try:
        return WorkerPlan.of(database, callback, 1, 10, [], None)
    except CallbackUnknownError:
        return None


def _end_of(address: str, width: int = 50) -> str:
    """Return what tells one database from another where there is no room for all of it."""
    return address if len(address) <= width else f"…{address[1 - width :]}"
