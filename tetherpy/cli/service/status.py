"""``tetherpy service status``."""

from __future__ import annotations

from tetherpy.database import redacted

from ..errors import NoServiceError
from ..output.formats import form_of, print_one
from ..parameters.database_location import existing_file
from ..parameters.options import DatabaseOption, JsonOption
from .service_report import STATE, Report, handle, state_of


async def show_status(database: DatabaseOption = None, json: JsonOption = False) -> None:
    """Show whether workers are running, and their notification.

    The exit code is 1 if none are running.
    """
    found = existing_file(database)
    state = await state_of(handle(found))
    print_one(form_of(json), STATE, Report(found, state))
    if not state.running:
        raise NoServiceError(redacted(found))
