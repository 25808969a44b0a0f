"""The background service: worker processes that outlive the app, and the app's handle to them.

Names are imported when first used: a worker needs other modules than an app does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .background_service import BackgroundService
    from .config import ServiceSettings
    from .errors import (
        CallbackNameError,
        FrameError,
        HandlerRegistrationError,
        MessageError,
        NoSuchHandlerError,
        OutsideJobError,
        ServiceAlreadyRunningError,
        ServiceDiffersError,
        ServiceError,
        ServiceFolderError,
        ServiceNotRunningError,
        ServiceStalledError,
        UnsupportedDatabaseError,
        WorkerStartError,
        WorkerStopError,
    )
    from .inline import InlineWorker
    from .instance import ServiceInstance
    from .job_provider import JobProvider, JobProviderError, JobProviderFamily
    from .manifest import HandlerInfo, PeriodicInfo, ServiceManifest
    from .serve import run_worker
    from .sqlite_storage import STORAGE_MIGRATIONS, SqliteStorage
    from .state import ServiceState, WorkerState

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
    "OutsideJobError",
    "PeriodicInfo",
    "ServiceAlreadyRunningError",
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
    "UnsupportedDatabaseError",
    "WorkerStartError",
    "WorkerState",
    "WorkerStopError",
    "run_worker",
]

_MODULES = {
    "STORAGE_MIGRATIONS": "sqlite_storage",
    "SqliteStorage": "sqlite_storage",
    "BackgroundService": "background_service",
    "InlineWorker": "inline",
    **dict.fromkeys(("HandlerInfo", "PeriodicInfo", "ServiceManifest"), "manifest"),
    "JobProvider": "job_provider",
    "JobProviderError": "job_provider",
    "JobProviderFamily": "job_provider",
    "ServiceInstance": "instance",
    "ServiceSettings": "config",
    "ServiceState": "state",
    "WorkerState": "state",
    "run_worker": "serve",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{_MODULES.get(name, 'errors')}", __name__), name)
    globals()[name] = value
    return value
