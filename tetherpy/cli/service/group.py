"""The commands on the service: each is registered here and loaded only when it runs."""

from __future__ import annotations

from ..lazy import lazy_group

group = lazy_group(
    "service",
    "Run workers in the background.",
    __package__ or "",
    {
        "start": ("starting:start_service", "Start the workers of a database in the background."),
        "stop": ("stopping:stop_service", "Stop the workers of a database, whoever started them."),
        "status": ("reporting:show_status", "Tell whether workers run, and what they show."),
        "install": ("installing:install_service", "Have the system start the workers when you log in."),
        "uninstall": ("installing:uninstall_service", "Take back what install has written."),
    },
)
