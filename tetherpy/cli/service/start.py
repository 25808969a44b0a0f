"""``tetherpy service start``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tetherpy.service import BackgroundService, WorkerStartError

from ..errors import ServiceStartError
from ..output.formats import form_of, print_one, remark
from ..parameters.options import DatabaseOption, JsonOption
from .service_report import STATE, Report, state_of
from .worker_options import (
    CallbackOption,
    ConcurrencyOption,
    ProcessesOption,
    QueueOption,
    RetentionOption,
    WorkerPlan,
)


class IfRunning(StrEnum):
    """The behaviour if workers with other settings are running."""

    ERROR = "error"
    ATTACH = "attach"
    RESTART = "restart"


async def start_service(
    callback: CallbackOption = None,
    processes: ProcessesOption = 1,
    concurrency: ConcurrencyOption = 10,
    queue: QueueOption = [],  # noqa: B006 - typer reads it, and does not change it
    retention: RetentionOption = None,
    if_running: Annotated[
        IfRunning,
        typer.Option(help="If workers with other settings are running: fail, attach to them, or replace them."),
    ] = IfRunning.ERROR,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Start the workers of a database in the background.

    Returns when they are ready. They run until they are stopped. Has no effect if workers with the same settings are
    running.
    """
    plan = WorkerPlan.of(database, callback, processes, concurrency, queue, retention)
    plan.enter_folder()
    service = BackgroundService(plan.database, plan.callback, if_running=if_running.value, **plan.options)
    if await service.is_running():
        remark("Workers are already running.")
    try:
        await service.start()
    except WorkerStartError as error:
        raise ServiceStartError(error.reason, error.log) from error
    print_one(form_of(json), STATE, Report(plan.database, await state_of(service)))
