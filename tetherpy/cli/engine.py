"""``tetherpy engine``: from the embedded engine to the one for many machines."""

from __future__ import annotations

from typing import Annotated

import attrs
import typer

from tetherpy.database import is_postgres, is_url
from tetherpy.jobs import CopyProgress, CopyReport, copy_jobs
from tetherpy.service import BackgroundService

from .errors import EngineCopyError
from .lazy_commands import lazy_group
from .output.columns import Column, View
from .output.formats import form_of, print_one, remark
from .parameters.database_location import existing_database
from .parameters.options import DatabaseOption, JsonOption

group = lazy_group(
    "engine",
    "Move jobs from one engine to another.",
    __package__ or "",
    {"copy": ("engine:copy", "Copy all jobs of an SQLite file to PostgreSQL.")},
)

REPORT = View[CopyReport](
    (
        Column("jobs", lambda report: str(report.jobs)),
        Column("attempts", lambda report: str(report.attempts)),
        Column("written", lambda report: str(report.written)),
        Column("sha256", lambda report: report.digest),
    ),
    attrs.asdict,
)
"""What was copied and found equal."""

PROGRESS_JOBS = 10_000


async def copy(
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="URL",
            envvar="TETHERPY_COPY_TO",
            help="The server: postgresql://user@host/name; use TETHERPY_COPY_TO for a URL with a password.",
        ),
    ],
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Copy all jobs of an SQLite file to PostgreSQL, while the app is stopped.

    Ids and attempts are preserved, and both sides are compared at the end. The command is resumable: after an
    interruption run it again. After a complete copy it only compares.
    """
    source = existing_database(database)
    if is_url(source) or not is_postgres(to):
        raise EngineCopyError("it goes from an SQLite file to a PostgreSQL URL")
    if await BackgroundService(source, "tetherpy:no_callback").is_running():
        raise EngineCopyError("workers run for the file; stop them first: tetherpy service stop")

    told = 0

    def tell(progress: CopyProgress) -> None:
        nonlocal told
        if progress.done - told >= PROGRESS_JOBS:
            told = progress.done
            remark(f"{progress.done:,} of {progress.total:,} jobs")

    report = await copy_jobs(source, to, tell)
    print_one(form_of(json), REPORT, report)
