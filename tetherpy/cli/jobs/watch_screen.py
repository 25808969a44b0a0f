"""The live display of ``jobs watch`` on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

import attrs
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tetherpy.jobs import BackgroundJob, BackgroundJobStatus, JobCounts

from ..output.terminal_text import harmless
from .job_columns import note, percent, style

_BAR_WIDTH = 24
_LINES_AROUND = 3
_ENDED_SHOWN = 10
_ORDER = (BackgroundJobStatus.RUNNING, BackgroundJobStatus.PENDING)


@attrs.define
class Screen:
    """A live display of jobs on the terminal."""

    console: Console = attrs.field(factory=Console)
    _live: Live = attrs.field(init=False)
    _ended: dict[int, BackgroundJob] = attrs.field(init=False, factory=dict[int, BackgroundJob])

    def __attrs_post_init__(self) -> None:
        self._live = Live(console=self.console, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, traceback)

    def show(
        self, jobs: Iterable[BackgroundJob], ended: Iterable[BackgroundJob] = (), counts: JobCounts | None = None
    ) -> None:
        """Show the jobs, the recently ended ones, and the counts."""
        self._ended |= {job.id: job for job in ended if job.status.is_finished}
        latest = sorted(self._ended.values(), key=lambda job: job.updated_at, reverse=True)[:_ENDED_SHOWN]
        self._ended = {job.id: job for job in latest}
        self._live.update(self._picture([*jobs], counts), refresh=True)

    def _picture(self, jobs: list[BackgroundJob], counts: JobCounts | None) -> RenderableType:
        if counts is not None:
            jobs.sort(key=lambda job: _ORDER.index(job.status) if job.status in _ORDER else len(_ORDER))
            active = {job.id for job in jobs}
            jobs = [*jobs, *(job for job in self._ended.values() if job.id not in active)]
        room = max(1, self.console.height - _LINES_AROUND)
        table = Table.grid(padding=(0, 2))
        for job in jobs[:room]:
            table.add_row(*_row(job))
        parts: list[RenderableType] = [table]
        if counts is not None:
            parts.insert(0, _headline(counts))
        if len(jobs) > room:
            parts.append(Text(f"and {len(jobs) - room} more", style="dim"))
        return Group(*parts)


def _row(job: BackgroundJob) -> tuple[RenderableType, ...]:
    return (
        Text(str(job.id), style="dim"),
        Text(job.status.value, style=style(job)),
        Text(harmless(job.job_key), overflow="ellipsis", no_wrap=True),
        Text() if job.progress is None else ProgressBar(total=1.0, completed=job.progress, width=_BAR_WIDTH),
        Text(percent(job)),
        Text(harmless(note(job)), overflow="ellipsis", no_wrap=True),
    )


def _headline(counts: JobCounts) -> Text:
    return Text(
        "   ".join(f"{count:,} {status.value.lower()}" for status, count in counts.by_status.items()), style="bold"
    )
