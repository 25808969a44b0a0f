"""What the commands have in common that show jobs and workers while they change: ``dashboard`` and ``top``."""

from __future__ import annotations

from tetherpy.service import BackgroundService
from tetherpy.ui import JobProviders, providers_of

from .errors import CallbackUnknownError
from .service.service_report import handle
from .service.worker_options import WorkerPlan


def live_providers(address: str, database: str | None, callback: str | None) -> JobProviders:
    """Return providers of the jobs at an address and of their service.

    Workers can be started where ``--callback`` or a ``tether.yaml`` says what they do; elsewhere the service can
    only be looked at and stopped.
    """
    try:
        plan = WorkerPlan.of(database, callback, 1, 10, [], None)
    except CallbackUnknownError:
        return providers_of(address, lambda: handle(address), startable=False)
    plan.move_in()
    return providers_of(address, lambda: BackgroundService(address, plan.callback, **plan.options), startable=True)
