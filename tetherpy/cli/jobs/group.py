"""The commands on jobs: each is registered here and loaded only when it runs."""

from __future__ import annotations

from ..lazy import lazy_group

group = lazy_group(
    "jobs",
    "Look at jobs, and steer them.",
    __package__ or "",
    {
        "list": ("listing:list_jobs", "List jobs, the newest first."),
    },
)
