"""``tetherpy service stop``."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from tetherpy.ui import STOP_TIMEOUT

from ..output.formats import remark
from ..parameters.database_location import existing_file
from ..parameters.durations import read_duration
from ..parameters.options import DatabaseOption
from .service_report import handle


async def stop_service(
    timeout: Annotated[  # noqa: ASYNC109 - bounds the jobs, not this call
        timedelta | None,
        typer.Option(
            parser=read_duration,
            metavar="DURATION",
            help="How long running jobs may take to finish; then they are released. Default: 30s.",
        ),
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Stop the workers of a database, including those that other processes started.

    Returns when they have ended; the exit code is also 0 if none are running.
    """
    service = handle(existing_file(database))
    if not await service.is_running():
        remark("No workers running.")
    await service.stop(STOP_TIMEOUT if timeout is None else timeout)
