"""``tetherpy service stop``."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from ..output.formats import remark
from ..parameters.database_location import existing_file
from ..parameters.durations import read_duration
from ..parameters.options import DatabaseOption
from .service_report import handle

DEFAULT_TIMEOUT = timedelta(seconds=30)


async def stop_service(
    timeout: Annotated[  # noqa: ASYNC109 - bounds the jobs, not this call
        timedelta | None,
        typer.Option(
            parser=read_duration,
            metavar="DURATION",
            help="How long running jobs may take to finish; then they are released. 30s if not given.",
        ),
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Stop the workers of a database, also those of other processes.

    Returns when they have ended; at once, and with exit code 0, if none run.
    """
    service = handle(existing_file(database))
    if not await service.is_running():
        remark("No workers run.")
    await service.stop((DEFAULT_TIMEOUT if timeout is None else timeout).total_seconds())
