"""The settings of workers, from options and ``tether.yaml``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar

import attrs
import typer

from tetherpy.database import is_url, sqlite_path

from ..errors import CallbackUnknownError
from ..parameters.added_options import with_options
from ..parameters.database_location import find_database
from ..parameters.durations import read_duration, write_duration
from ..parameters.integers import integer_between
from ..parameters.project import find_project

F = TypeVar("F", bound=Callable[..., Any])


class LogLevel(StrEnum):
    """The levels of ``logging``."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class LogFormat(StrEnum):
    """The formats of the log."""

    TEXT = "text"
    JSON = "json"


CallbackOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--callback",
        "-c",
        metavar="MODULE:FUNCTION",
        help="The function that registers the handlers; that of tether.yaml if not given.",
    ),
]
ProcessesOption: TypeAlias = Annotated[
    int, typer.Option(parser=integer_between(1), metavar="NUMBER", help="The number of worker processes.")
]
ConcurrencyOption: TypeAlias = Annotated[
    int, typer.Option(parser=integer_between(1), metavar="NUMBER", help="The number of concurrent jobs per worker.")
]
QueueOption: TypeAlias = Annotated[
    list[str], typer.Option("--queue", help="Run only jobs in this queue; may be repeated. All queues if not given.")
]
LogLevelOption: TypeAlias = Annotated[
    LogLevel | None,
    typer.Option(
        case_sensitive=False,
        help="The level of the log; that of tether.yaml if not given, else INFO.",
        show_default=False,
    ),
]
LogFormatOption: TypeAlias = Annotated[
    LogFormat | None,
    typer.Option(help="The format of the log; that of tether.yaml if not given, else text.", show_default=False),
]
JobLogsOption: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--job-logs/--no-job-logs",
        help="Whether to store what each attempt logs and prints; that of tether.yaml if not given, else yes.",
        show_default=False,
    ),
]
ReloadOption: TypeAlias = Annotated[
    bool, typer.Option("--reload", help="Replace the workers when a file of the app changes; for development.")
]
RetentionOption: TypeAlias = Annotated[
    timedelta | None,
    typer.Option(parser=read_duration, metavar="DURATION", help="Delete finished jobs older than this, such as 30d."),
]


def full_address(database: str) -> str:
    """Return the address of a database as an absolute path, or its URL."""
    return database if is_url(database) else str(sqlite_path(database))


@attrs.frozen
class WorkerPlan:
    """The settings of the workers of a database, and their working folder."""

    database: str
    folder: Path
    callback: str
    processes: int
    concurrency: int
    queues: tuple[str, ...] | None
    retention: timedelta | None
    log_level: str = "INFO"
    log_format: str = "text"
    job_logs: bool = True
    title: str | None = None
    content: str | None = None

    @classmethod
    def of(
        cls,
        database: str | None,
        *,
        callback: CallbackOption = None,
        processes: ProcessesOption = 1,
        concurrency: ConcurrencyOption = 10,
        queue: QueueOption = [],  # noqa: B006 - typer reads it, and does not change it
        retention: RetentionOption = None,
        log_level: LogLevelOption = None,
        log_format: LogFormatOption = None,
        job_logs: JobLogsOption = None,
    ) -> WorkerPlan:
        """Complete the options from the nearest ``tether.yaml``.

        Raises ``DatabaseUnknownError`` and ``CallbackUnknownError``.
        """
        project = find_project()
        settings = None if project is None else project.service
        # Not the defaults of the settings' class: with --database no YAML parser is loaded.
        level, format_, keeps = (
            ("INFO", "text", True) if settings is None else (settings.log_level, settings.log_format, settings.job_logs)
        )
        callback = callback or (None if settings is None else settings.app_initialization_callback)
        if callback is None:
            raise CallbackUnknownError
        return cls(
            database=full_address(find_database(database)),
            folder=Path.cwd() if project is None else project.folder,
            callback=callback,
            processes=processes,
            concurrency=concurrency,
            queues=tuple(queue) or None,
            retention=retention,
            log_level=level if log_level is None else log_level.value,
            log_format=format_ if log_format is None else log_format.value,
            job_logs=keeps if job_logs is None else job_logs,
            title=None if settings is None else settings.initial_notification_title,
            content=None if settings is None else settings.initial_notification_content,
        )

    @property
    def options(self) -> dict[str, Any]:
        """Return the common arguments of ``BackgroundService`` and ``run_worker``."""
        titles = {"initial_notification_title": self.title, "initial_notification_content": self.content}
        return {
            "processes": self.processes,
            "concurrency": self.concurrency,
            "queues": self.queues,
            "retention": self.retention,
            "log_level": self.log_level,
            "log_format": self.log_format,
            "job_logs": self.job_logs,
            **{name: text for name, text in titles.items() if text is not None},
        }

    @property
    def command(self) -> tuple[str, ...]:
        """Return the equivalent foreground command, for a service manager."""
        words = [sys.executable, "-m", "tetherpy.cli", "worker"]
        words += ["--callback", self.callback]
        words += ["--processes", str(self.processes), "--concurrency", str(self.concurrency)]
        for queue in self.queues or ():
            words += ["--queue", queue]
        if self.retention is not None:
            words += ["--retention", write_duration(self.retention)]
        words += ["--log-level", self.log_level, "--log-format", self.log_format]
        words.append("--job-logs" if self.job_logs else "--no-job-logs")
        return tuple(words)

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of the command: a URL may contain a password, and command lines are public."""
        return {"TETHERPY_DATABASE": self.database}

    def enter_folder(self) -> None:
        """Change to the folder of the app, and import from it."""
        os.chdir(self.folder)
        sys.path.insert(0, str(self.folder))


def with_worker_options(command: F) -> F:
    """Decorate a command that takes ``**options`` for ``WorkerPlan.of``: give it an option for each keyword."""
    given = signature(WorkerPlan.of, eval_str=True).parameters.values()
    return with_options(command, (each for each in given if each.kind is each.KEYWORD_ONLY))
