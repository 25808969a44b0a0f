"""Desktop notifications for finished jobs."""

from __future__ import annotations

from .desktop import DesktopNotifications
from .jobs import JobNotifications
from .sink import Notification, NotificationSink

__all__ = ["DesktopNotifications", "JobNotifications", "Notification", "NotificationSink"]


def __dir__() -> list[str]:
    return [*__all__]
