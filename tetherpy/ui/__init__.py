"""User interfaces: one folder per toolkit, each behind an extra, all built on one ``Watcher``.

Import a toolkit by its own name (``tetherpy.ui.textual``, ``tetherpy.ui.web``); none is loaded unless it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tetherpy.facades import lazy_facade

if TYPE_CHECKING:
    from .actions import CANCEL, DELETE, RESET_AND_RETRY, RETRY, STOP_TIMEOUT, JobAction, JobResults
    from .errors import BuildWithinBuildError, UiError, WatcherClosedError
    from .job_providers import JobProviders, providers_of
    from .notify import DesktopNotifications, JobNotifications, Notification, NotificationSink
    from .watcher import Watcher

__all__ = [
    "CANCEL",
    "DELETE",
    "RESET_AND_RETRY",
    "RETRY",
    "STOP_TIMEOUT",
    "BuildWithinBuildError",
    "DesktopNotifications",
    "JobAction",
    "JobNotifications",
    "JobProviders",
    "JobResults",
    "Notification",
    "NotificationSink",
    "UiError",
    "Watcher",
    "WatcherClosedError",
    "providers_of",
]

_MODULES = {
    "Watcher": "watcher",
    **dict.fromkeys(
        ("CANCEL", "DELETE", "RESET_AND_RETRY", "RETRY", "STOP_TIMEOUT", "JobAction", "JobResults"), "actions"
    ),
    **dict.fromkeys(("JobProviders", "providers_of"), "job_providers"),
    **dict.fromkeys(("DesktopNotifications", "JobNotifications", "Notification", "NotificationSink"), "notify"),
}

if not TYPE_CHECKING:  # type checkers report the names that are not public
    __getattr__, __dir__ = lazy_facade(__name__, __all__, _MODULES, others="errors")
