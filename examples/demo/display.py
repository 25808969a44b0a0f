"""The display of the demo: a live view of the streams, and a table at the end."""

from collections.abc import Sequence

import attrs
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tetherpy import BackgroundJob, JobCounts, ServiceState

from .analysis import PackageReport

MOST_RUNNING = 10


@attrs.define
class View:
    """The latest value of each stream."""

    total: int
    counts: JobCounts = attrs.field(factory=JobCounts)
    running: Sequence[BackgroundJob] = ()
    service: ServiceState = attrs.field(factory=ServiceState)
    headline: str = ""

    def __rich__(self) -> RenderableType:
        """Render the view."""
        finished = self.counts.completed + self.counts.failed + self.counts.cancelled
        rows = Table.grid(padding=(0, 1))
        rows.add_row("all packages", ProgressBar(self.total, finished, width=40), f"{finished}/{self.total}")
        for job in self.running[:MOST_RUNNING]:
            bar = ProgressBar(1.0, job.progress or 0.0, width=40)
            rows.add_row(job.payload["package"], bar, job.progress_message or "")
        worker = ", ".join(f"pid {worker.pid}" for worker in self.service.workers) or "none"
        notification = Text(f"{self.service.notification_title}: {self.service.notification_content}", style="italic")
        return Panel(
            Group(Text(self.headline, style="bold"), Text(f"worker: {worker}"), notification, rows),
            title="tetherpy demo",
            height=MOST_RUNNING + 7,
        )


def summary(reports: Sequence[PackageReport]) -> Table:
    """Return the table of all packages, largest first."""
    table = Table(title=f"{len(reports)} packages of the standard library", header_style="bold")
    table.add_column("package")
    for column in ("modules", "classes", "functions", "lines"):
        table.add_column(column, justify="right")
    for report in reports:
        table.add_row(
            report.package, *(f"{n:,}" for n in (report.modules, report.classes, report.functions, report.lines))
        )
    return table


def largest(reports: Sequence[PackageReport]) -> str:
    """Return the names of the ten largest packages."""
    ten = sorted(reports, key=lambda report: report.lines, reverse=True)[:10]
    return ", ".join(f"{report.package} ({report.lines:,})" for report in ten)
