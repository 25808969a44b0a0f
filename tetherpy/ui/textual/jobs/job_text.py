"""The text of jobs in a terminal: status, times, progress and results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from rich.text import Text

from tetherpy.jobs import BackgroundJob, BackgroundJobStatus
from tetherpy.safe_text import one_line

MARKS: Final[Mapping[BackgroundJobStatus, tuple[str, str]]] = MappingProxyType(
    {
        BackgroundJobStatus.PENDING: ("○", "yellow"),
        BackgroundJobStatus.RUNNING: ("◐", "cyan"),
        BackgroundJobStatus.COMPLETED: ("●", "green"),
        BackgroundJobStatus.FAILED: ("✗", "red"),
        BackgroundJobStatus.CANCELLED: ("◌", "bright_black"),
    }
)
"""A symbol and a colour for each status; the symbol must suffice without colours."""

FAINT: Final = "#8a8a8a"
"""A grey that is readable on dark and light backgrounds."""

WallClock = Callable[[], datetime]


def now() -> datetime:
    """Return the time in the time zone of this machine."""
    return datetime.now().astimezone()


def at(moment: datetime | None, clock: WallClock = now) -> str:
    """Format an instant in local time, in eight characters: a time today, a date otherwise."""
    if moment is None:
        return ""
    present = clock()
    local = moment.astimezone(present.tzinfo)
    if local.date() == present.date():
        return local.strftime("%H:%M:%S")
    return local.strftime("%d.%m.%y")


def bar(fraction: float | None, width: int) -> str:
    """Return a progress bar of ``width`` characters."""
    filled = round(width * min(max(fraction or 0.0, 0.0), 1.0))
    return "━" * filled + "┄" * (width - filled)


def note(job: BackgroundJob, limit: int = 160) -> Text:
    """Return the progress, the result or the error of a job in one line."""
    match job.status:
        case BackgroundJobStatus.RUNNING:
            if job.cancel_requested_at is not None:
                return Text("cancellation requested", "yellow")
            if job.progress is None:
                return Text(one_line(job.progress_message or "", limit))
            return Text.assemble(
                (bar(job.progress, 12), "cyan"),
                (f" {job.progress:4.0%} ", "bold"),
                one_line(job.progress_message or "", limit),
            )
        case BackgroundJobStatus.COMPLETED:
            return Text(one_line(job.result_json or "", limit), FAINT)
        case BackgroundJobStatus.PENDING if job.last_error is None:
            return Text(one_line(job.payload_json or "", limit), FAINT)
        case _:
            return Text(one_line(job.last_error or "", limit), "red")
