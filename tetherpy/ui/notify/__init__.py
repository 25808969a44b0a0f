"""Desktop notifications: what the jobs came to, told in an app's process where a desktop listens."""

from __future__ import annotations

from .desktop import DesktopNotifications
from .jobs import JobNotifications
from .sink import Notification, NotificationSink

__all__ = ["DesktopNotifications", "JobNotifications", "Notification", "NotificationSink"]
