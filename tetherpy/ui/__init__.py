"""What people see: one module or folder per toolkit, each behind an extra, all built on one ``Watcher``.

The toolkits are imported by their own names (``tetherpy.ui.textual``, ``tetherpy.ui.web``), so that none is loaded
unless it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import BuildWithinBuildError, UiError, WatcherClosedError
    from .job_providers import JobProviders, providers_of
    from .notify import DesktopNotifications, JobNotifications, Notification, NotificationSink
    from .watcher import Watcher

__all__ = [
    "BuildWithinBuildError",
    "DesktopNotifications",
    "JobNotifications",
    "JobProviders",
    "Notification",
    "NotificationSink",
    "UiError",
    "Watcher",
    "WatcherClosedError",
    "providers_of",
]

_MODULES = {
    "Watcher": "watcher",
    **dict.fromkeys(("JobProviders", "providers_of"), "job_providers"),
    **dict.fromkeys(("DesktopNotifications", "JobNotifications", "Notification", "NotificationSink"), "notify"),
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{_MODULES.get(name, 'errors')}", __name__), name)
    globals()[name] = value
    return value
