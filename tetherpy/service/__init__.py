"""The background service: worker processes that outlive the app, and the app's handle to them.

Names are imported at their first use, because a worker needs other modules than an app.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tetherpy.facades import lazy_facade

if TYPE_CHECKING:
    from ..durable import STORAGE_MIGRATIONS, JobProvider, JobProviderError, JobProviderFamily, SqliteStorage
    from .app.background_service import BackgroundService
    from .app.service_state import ServiceState, WorkerState
    from .errors import (
        CallbackNameError,
        FrameError,
        HandlerRegistrationError,
        MessageError,
        NoSuchHandlerError,
        NoWorkerProcessesError,
        OutsideJobError,
        OutsideLoopError,
        ServiceAlreadyRunningError,
        ServiceArgumentError,
        ServiceDiffersError,
        ServiceError,
        ServiceFolderError,
        ServiceNotRunningError,
        ServiceStalledError,
        UnsupportedDatabaseError,
        WorkerStartError,
        WorkerStopError,
    )
    from .execution.service_instance import ServiceInstance, SyncServiceInstance
    from .protocol.manifest import HandlerInfo, PeriodicInfo, ServiceManifest
    from .protocol.settings import ServiceSettings
    from .supervisor.entry_points import run_worker
    from .worker.inline_worker import InlineWorker

__all__ = [
    "STORAGE_MIGRATIONS",
    "BackgroundService",
    "CallbackNameError",
    "FrameError",
    "HandlerInfo",
    "HandlerRegistrationError",
    "InlineWorker",
    "JobProvider",
    "JobProviderError",
    "JobProviderFamily",
    "MessageError",
    "NoSuchHandlerError",
    "NoWorkerProcessesError",
    "OutsideJobError",
    "OutsideLoopError",
    "PeriodicInfo",
    "ServiceAlreadyRunningError",
    "ServiceArgumentError",
    "ServiceDiffersError",
    "ServiceError",
    "ServiceFolderError",
    "ServiceInstance",
    "ServiceManifest",
    "ServiceNotRunningError",
    "ServiceSettings",
    "ServiceStalledError",
    "ServiceState",
    "SqliteStorage",
    "SyncServiceInstance",
    "UnsupportedDatabaseError",
    "WorkerStartError",
    "WorkerState",
    "WorkerStopError",
    "run_worker",
]

_MODULES = {
    "STORAGE_MIGRATIONS": ".durable",
    "SqliteStorage": ".durable",
    "BackgroundService": "app.background_service",
    "InlineWorker": "worker.inline_worker",
    **dict.fromkeys(("HandlerInfo", "PeriodicInfo", "ServiceManifest"), "protocol.manifest"),
    "JobProvider": ".durable",
    "JobProviderError": ".durable",
    "JobProviderFamily": ".durable",
    **dict.fromkeys(("ServiceInstance", "SyncServiceInstance"), "execution.service_instance"),
    "ServiceSettings": "protocol.settings",
    "ServiceState": "app.service_state",
    "WorkerState": "app.service_state",
    "run_worker": "supervisor.entry_points",
}

if not TYPE_CHECKING:  # type checkers report the names that are not public
    __getattr__, __dir__ = lazy_facade(__name__, __all__, _MODULES, others="errors")
