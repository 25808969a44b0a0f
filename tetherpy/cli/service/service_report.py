"""The state of a database's service, and its output formats."""

from __future__ import annotations

import asyncio

import attrs

from tetherpy.database import redacted
from tetherpy.service import BackgroundService, ServiceSettings, ServiceState

from ..errors import SilentServiceError
from ..output.columns import Column, Document, View
from ..parameters.durations import instant

ANSWER_SECONDS = 5.0

_NEVER_CALLED = "tetherpy.cli:no_callback"
"""A handle requires a callback, which is used only to start workers."""


def handle(database: str) -> BackgroundService:
    """Return a handle to the running service of a database, to inspect and stop it."""
    return BackgroundService(database, _NEVER_CALLED)


async def state_of(service: BackgroundService) -> ServiceState:
    """Return the present state of the service; raises ``SilentServiceError`` if it does not respond."""
    answer: asyncio.Future[ServiceState] = asyncio.get_running_loop().create_future()
    subscription = service.state.subscribe(lambda state: None if answer.done() else answer.set_result(state))
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await answer
    except TimeoutError as error:
        raise SilentServiceError(ANSWER_SECONDS) from error
    finally:
        subscription.dispose()
        await service.aclose()


@attrs.frozen
class Report:
    """The state of the service of one database."""

    database: str
    state: ServiceState


def _document(report: Report) -> Document:
    state = report.state
    return {
        "database": redacted(report.database),
        "running": state.running,
        "workers": [{"pid": worker.pid, "id": worker.id} for worker in state.workers],
        "notification_title": state.notification_title,
        "notification_content": state.notification_content,
        "is_foreground": state.is_foreground,
        "settings": None if state.settings is None else _settings(state.settings),
        "started_at": instant(state.started_at),
        "changed_files": list(state.changed_files),
    }


def _settings(settings: ServiceSettings) -> Document:
    return {
        "callback": settings.callback,
        "concurrency": settings.concurrency,
        "processes": settings.processes,
        "queues": None if settings.queues is None else list(settings.queues),
        "retention": None if settings.retention is None else settings.retention.total_seconds(),
        "lease": settings.lease.total_seconds(),
        "log_level": settings.log_level,
        "log_format": settings.log_format,
        "job_logs": settings.job_logs,
    }


def _code(state: ServiceState) -> str:
    if not state.running:
        return ""
    return f"older than {', '.join(state.changed_files)}" if state.changed_files else "that of the files"


STATE = View[Report](
    (
        Column("database", lambda report: redacted(report.database)),
        Column(
            "running",
            lambda report: "yes" if report.state.running else "no",
            style=lambda report: "green" if report.state.running else "red",
        ),
        Column("workers", lambda report: " ".join(str(worker.pid) for worker in report.state.workers)),
        Column("notification_title", lambda report: report.state.notification_title),
        Column("notification_content", lambda report: report.state.notification_content),
        Column("is_foreground", lambda report: "yes" if report.state.is_foreground else "no"),
        Column("settings", lambda report: "" if report.state.settings is None else str(report.state.settings)),
        Column("started_at", lambda report: instant(report.state.started_at) or ""),
        Column(
            "code",
            lambda report: _code(report.state),
            style=lambda report: "yellow" if report.state.changed_files else "",
        ),
    ),
    _document,
)
"""The service of a database; ``workers`` are process ids."""
