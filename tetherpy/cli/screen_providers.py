"""The providers of the live commands, ``dashboard`` and ``top``."""

from __future__ import annotations

from tetherpy.service import BackgroundService
from tetherpy.ui import JobProviders, providers_of

from .errors import CallbackUnknownError
from .service.service_report import handle
from .service.worker_options import WorkerPlan


def live_providers(address: str, database: str | None, callback: str | None) -> JobProviders:
    """Return the providers of the jobs and the service of a database.

    Workers can be started if ``--callback`` or a ``tether.yaml`` names the initialization callback; otherwise the
    service can only be inspected and stopped.
    """
    try:
        plan = WorkerPlan.of(database, callback=callback)
    except CallbackUnknownError:
        return providers_of(address, lambda: handle(address), startable=False)
    plan.enter_folder()
    return providers_of(address, lambda: BackgroundService(address, plan.callback, **plan.options), startable=True)
