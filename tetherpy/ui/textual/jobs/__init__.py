"""The job screens: jobs by status, one job in detail, and the service with its workers."""

from __future__ import annotations

from .app import JobsApp
from .dashboard import JobStatusDashboard
from .service_tab import BackgroundServiceTab

__all__ = ["BackgroundServiceTab", "JobStatusDashboard", "JobsApp"]


def __dir__() -> list[str]:
    return [*__all__]
