"""``tetherpy top``."""

from __future__ import annotations

import sys

from tetherpy.database import redacted

from .errors import ExtraMissingError, NoTerminalError
from .parameters.database_location import existing_database
from .parameters.options import DatabaseOption
from .screen_providers import live_providers
from .service.worker_options import CallbackOption, full_address


async def show_top(callback: CallbackOption = None, database: DatabaseOption = None) -> int:
    """Show jobs and workers in a terminal app, and manage them by keys; q quits."""
    try:
        from tetherpy.ui import DesktopNotifications
        from tetherpy.ui.textual import JobsApp
    except ModuleNotFoundError as error:
        raise ExtraMissingError("textual", error.name) from error
    address = full_address(existing_database(database))
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NoTerminalError
    providers = live_providers(address, database, callback)
    async with DesktopNotifications() as desktop:
        app = JobsApp(providers, title=_end_of(redacted(address)), notifications=desktop)
        await app.run_async()
    return app.return_code or 0


def _end_of(address: str, width: int = 50) -> str:
    """Return the end of an address, which distinguishes databases."""
    return address if len(address) <= width else f"…{address[1 - width :]}"
