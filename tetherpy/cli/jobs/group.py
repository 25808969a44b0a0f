"""The commands on jobs: each is registered here and loaded only when it runs."""

from __future__ import annotations

from ..lazy import lazy_group

group = lazy_group(
    "jobs",
    "Look at jobs, and steer them.",
    __package__ or "",
    {
        "list": ("listing:list_jobs", "List jobs, the newest first."),
        "show": ("showing:show_job", "Show one job and its attempts."),
        "enqueue": ("enqueueing:enqueue_job", "Enqueue a job, and print its id."),
        "retry": ("steering:retry_jobs", "Make finished jobs PENDING again."),
        "cancel": ("steering:cancel_jobs", "Cancel pending jobs, and ask running ones to stop."),
        "delete": ("deleting:delete_jobs", "Delete jobs that do not run: some by id, or all of a status."),
        "watch": ("watching:watch_jobs", "Follow jobs as they change."),
        "stats": ("counting:show_stats", "Count jobs in each state, and tell how long they wait and take."),
    },
)
