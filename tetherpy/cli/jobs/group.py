"""The commands on jobs: each is registered here and loaded only when it runs."""

from __future__ import annotations

from ..lazy_commands import lazy_group

group = lazy_group(
    "jobs",
    "Inspect and manage jobs.",
    __package__ or "",
    {
        "list": ("list_command:list_jobs", "List jobs, the newest first."),
        "show": ("show:show_job", "Show one job and its attempts."),
        "enqueue": ("enqueue:enqueue_job", "Enqueue a job, and print its id."),
        "retry": ("move:retry_jobs", "Make finished jobs PENDING again."),
        "cancel": ("move:cancel_jobs", "Cancel pending jobs, and ask running ones to stop."),
        "delete": ("delete:delete_jobs", "Delete jobs that do not run: some by id, or all of a status."),
        "watch": ("watch:watch_jobs", "Follow jobs as they change."),
        "stats": ("stats:show_stats", "Count jobs in each state, and show waiting times and durations."),
    },
)
