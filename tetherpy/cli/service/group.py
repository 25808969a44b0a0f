"""The ``service`` commands, each loaded when it runs."""

from __future__ import annotations

from ..lazy_commands import lazy_group

group = lazy_group(
    "service",
    "Run workers in the background.",
    __package__ or "",
    {
        "start": ("start:start_service", "Start the workers of a database in the background."),
        "stop": ("stop:stop_service", "Stop the workers of a database."),
        "status": ("status:show_status", "Show whether workers are running, and their notification."),
        "install": ("install:install_service", "Start the workers at log-in, and restart them if they fail."),
        "uninstall": ("install:uninstall_service", "Remove the installed unit."),
    },
)
