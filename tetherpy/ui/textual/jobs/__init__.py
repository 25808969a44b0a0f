"""The job screens: jobs by status, one job in detail, and the service with its workers."""

from __future__ import annotations

from tetherpy.facades import facade_dir

from .app import JobsApp
from .dashboard import JobStatusDashboard
from .service_tab import BackgroundServiceTab

__all__ = ["BackgroundServiceTab", "JobStatusDashboard", "JobsApp"]

__dir__ = facade_dir(__all__)
