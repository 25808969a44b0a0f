"""Desktop notifications for finished jobs."""

from __future__ import annotations

from tetherpy.facades import facade_dir

from .desktop import DesktopNotifications
from .jobs import JobNotifications
from .sink import Notification, NotificationSink

__all__ = ["DesktopNotifications", "JobNotifications", "Notification", "NotificationSink"]

__dir__ = facade_dir(__all__)
