"""``tetherpy engine``: move jobs from SQLite to PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
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
        Column("tables", lambda report: ", ".join(_counted(report.tables))),
        Column("left", lambda report: ", ".join(_counted(report.left))),
        Column("sha256", lambda report: report.digest),
    ),
    attrs.asdict,
)
"""The copied and compared jobs."""

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
    tables: Annotated[
        str,
        typer.Option(
            "--tables",
            metavar="NAMES",
            help="Tables of the app to copy as well, separated by commas; all for every one.",
        ),
    ] = "",
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Copy all jobs of an SQLite file to PostgreSQL, while the app is stopped.

    Ids and attempts are preserved, and both sides are compared at the end. The command is resumable: after an
    interruption run it again. After a complete copy it only compares. Tables of the app stay in the file unless
    --tables names them; those that stay are listed.
    """
    source = existing_database(database)
    if is_url(source) or not is_postgres(to):
        raise EngineCopyError("the source must be an SQLite file, and --to a PostgreSQL URL")
    if await BackgroundService(source, "tetherpy:no_callback").is_running():
        raise EngineCopyError("workers are running for the file; stop them first: tetherpy service stop")

    reported = 0

    def report_progress(progress: CopyProgress) -> None:
        nonlocal reported
        if progress.done - reported >= PROGRESS_JOBS:
            reported = progress.done
            remark(f"{progress.done:,} of {progress.total:,} jobs")

    names = "all" if tables == "all" else [name.strip() for name in tables.split(",") if name.strip()]
    report = await copy_jobs(source, to, tables=names, on_progress=report_progress)
    print_one(form_of(json), REPORT, report)
    if report.left:
        remark("The tables that are left stay in the file. To copy some, name them: --tables")


def _counted(tables: Mapping[str, int]) -> list[str]:
    return [f"{name} ({rows:,} {'row' if rows == 1 else 'rows'})" for name, rows in tables.items()]
