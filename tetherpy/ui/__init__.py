"""What people see: one module or folder per toolkit, each behind an extra, all built on one ``Watcher``.

The toolkits are imported by their own names (``tetherpy.ui.textual``, ``tetherpy.ui.web``), so that none is loaded
unless it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tetherpy.lazy_facade import lazy_facade

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

__getattr__ = lazy_facade(__name__, __all__, _MODULES, others="errors")
