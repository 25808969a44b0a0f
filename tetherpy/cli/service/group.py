"""The commands on the service: each is registered here and loaded only when it runs."""

from __future__ import annotations

from ..lazy_commands import lazy_group

group = lazy_group(
    "service",
    "Run workers in the background.",
    __package__ or "",
    {
        "start": ("start:start_service", "Start the workers of a database in the background."),
        "stop": ("stop:stop_service", "Stop the workers of a database, whoever started them."),
        "status": ("status:show_status", "Tell whether workers run, and what they show."),
        "install": ("install:install_service", "Have the system start the workers when you log in."),
        "uninstall": ("install:uninstall_service", "Take back what install has written."),
    },
)
