"""The settings of workers, from options and ``tether.yaml``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import timedelta
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
    ) -> WorkerPlan:
        """Complete the options from the nearest ``tether.yaml``.

        Raises ``DatabaseUnknownError`` and ``CallbackUnknownError``.
        """
        project = find_project()
        settings = None if project is None else project.service
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
