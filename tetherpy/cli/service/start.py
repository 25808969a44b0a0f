"""``tetherpy service start``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from tetherpy.service import BackgroundService, WorkerStartError

from ..errors import ServiceStartError
from ..output.formats import form_of, print_one, remark
from ..parameters.options import DatabaseOption, JsonOption
from .service_report import STATE, Report, state_of
from .worker_options import ReloadOption, WorkerPlan, with_worker_options


class IfRunning(StrEnum):
    """The behaviour if workers with other settings are running."""

    ERROR = "error"
    ATTACH = "attach"
    RESTART = "restart"


@with_worker_options
async def start_service(
    *,
    if_running: Annotated[
        IfRunning,
        typer.Option(help="If workers with other settings are running: fail, attach to them, or replace them."),
    ] = IfRunning.ERROR,
    reload: ReloadOption = False,
    database: DatabaseOption = None,
    json: JsonOption = False,
    **options: Any,
) -> None:
    """Start the workers of a database in the background.

    Returns when they are ready. They run until they are stopped. Workers with the same settings continue, unless their
    code is older than its files: these finish their jobs and are replaced.
    """
    plan = WorkerPlan.of(database, **options)
    plan.enter_folder()
    service = BackgroundService(
        plan.database,
        plan.callback,
        if_running=if_running.value,
        detached=True,
        **plan.options,
        reload=reload,
    )
    if await service.is_running():
        remark("Workers are already running.")
    try:
        await service.start()
    except WorkerStartError as error:
        raise ServiceStartError(error.reason, error.log) from error
    print_one(form_of(json), STATE, Report(plan.database, await state_of(service)))
