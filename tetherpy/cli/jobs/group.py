"""The ``jobs`` commands, each loaded when it runs."""

from __future__ import annotations

from ..lazy_commands import lazy_group

group = lazy_group(
    "jobs",
    "Inspect and manage jobs.",
    __package__ or "",
    {
        "list": ("list_command:list_jobs", "List jobs, newest first."),
        "show": ("show:show_job", "Show one job and its attempts."),
        "enqueue": ("enqueue:enqueue_job", "Enqueue a job, and print its id."),
        "retry": ("retry_and_cancel:retry_jobs", "Make finished jobs PENDING again."),
        "cancel": ("retry_and_cancel:cancel_jobs", "Cancel pending jobs, and ask running ones to stop."),
        "delete": ("delete:delete_jobs", "Delete jobs that are not running: by id, or all with a status."),
        "watch": ("watch:watch_jobs", "Follow jobs as they change."),
        "stats": ("stats:show_stats", "Count jobs by status, and show waiting times and durations."),
    },
)
