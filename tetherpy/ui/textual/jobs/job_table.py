"""The table of the jobs with one status; unchanged cells are not updated."""

from __future__ import annotations

from time import monotonic

import attrs
from rich.text import Text
from textual.widgets import DataTable

from tetherpy.jobs import BackgroundJob, BackgroundJobStatus
from tetherpy.safe_text import one_line

from ...job_providers import MOST_MATCHES, JobProviders
from ...root_cause import original
from ..consumer import Consumer, ConsumerWidget
from ..ref import WidgetRef
from .job_text import at, note

COLUMNS = {"id": 7, "job": 18, "tries": 5, "since": 8, "note": 160}
"""The columns and their widths in characters; text beyond the edge of the table is cut off.

Fixed widths: an automatic width measures every cell of the column at each change.
"""

REST_SECONDS = 0.2
"""Minimum interval between updates: rendering a table is slow."""


def row_of(job: BackgroundJob) -> tuple[Text, ...]:
    """Return the cells of a job."""
    return (
        Text(str(job.id), "bold", justify="right"),
        Text(one_line(job.job_key, 80)),
        Text(f"{job.attempts}/{job.max_attempts}"[:9], justify="right"),
        Text(at(job.updated_at)),
        note(job),
    )


@attrs.frozen
class Search:
    """What the listed jobs contain: a text, and a pair of meta as ``KEY=VALUE``; empty texts do not filter."""

    text: str = ""
    pair: str = ""

    @property
    def meta(self) -> dict[str, str] | None:
        """Return the pair; a text without ``=`` is one with an empty value."""
        key, _, value = self.pair.partition("=")
        return {key: value} if self.pair else None

    def __bool__(self) -> bool:
        return bool(self.text or self.pair)

    def __str__(self) -> str:
        return " and ".join(repr(one_line(text, 40)) for text in (self.text, self.pair) if text)


class JobTable(DataTable[Text], Consumer):  # pyright: ignore[reportIncompatibleMethodOverride]  # within Textual
    """The newest jobs with one status; the cursor stays on its job while other rows change."""

    DEFAULT_CSS = """
    JobTable { height: 1fr; width: 2fr; background: transparent; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """

    def __init__(self, providers: JobProviders, status: BackgroundJobStatus) -> None:
        super().__init__(cursor_type="row", zebra_stripes=True)
        self._providers = providers
        self._rows: dict[int, tuple[Text, ...]] = {}
        self.status = status
        self.search = Search()
        self._rests_until = 0.0

    def on_mount(self) -> None:
        """Add the columns."""
        for name, width in COLUMNS.items():
            self.add_column(name.upper(), key=name, width=width)

    def show(self, status: BackgroundJobStatus, search: Search) -> None:
        """Show the jobs with another status, or those that another search finds."""
        self.status, self.search = status, search
        self.rebuild()

    @property
    def job_id(self) -> int | None:
        """The id of the selected job."""
        ids = list(self._rows)
        return ids[self.cursor_row] if 0 <= self.cursor_row < len(ids) else None

    def on_dirty(self) -> None:
        """Update the rows, at most once per ``REST_SECONDS``."""
        wait = self._rests_until - monotonic()
        if wait > 0:
            self.set_timer(wait, self.rebuild)
        else:
            super().on_dirty()

    def build(self, ref: WidgetRef) -> None:
        """Update the rows."""
        self._rests_until = monotonic() + REST_SECONDS
        jobs = ref.watch(self._providers.jobs(self.status, text=self.search.text, meta=self.search.meta)).value
        rows = {job.id: row_of(job) for job in jobs or ()}
        if list(rows) == list(self._rows):
            self._update_cells(rows)
        else:
            self._replace_rows(rows)
        self._rows = rows

    def _update_cells(self, rows: dict[int, tuple[Text, ...]]) -> None:
        for job_id, cells in rows.items():
            for name, before, after in zip(COLUMNS, self._rows[job_id], cells, strict=True):
                if before != after:
                    self.update_cell(str(job_id), name, after)

    def _replace_rows(self, rows: dict[int, tuple[Text, ...]]) -> None:
        chosen, place, scrolled = self.job_id, self.cursor_row, self.scroll_y
        self.clear()
        for job_id, cells in rows.items():
            self.add_row(*cells, key=str(job_id))
        if rows:
            ids = list(rows)
            row = ids.index(chosen) if chosen in rows else min(place, len(ids) - 1)
            self.move_cursor(row=row, scroll=False)
            self.scroll_to(y=scrolled, animate=False)


class TableNote(ConsumerWidget):
    """The status line below the table: what it shows, or why it is empty."""

    DEFAULT_CSS = "TableNote { width: 1fr; height: 1; padding: 0 1; color: $text-muted; }"

    def __init__(self, providers: JobProviders, status: BackgroundJobStatus) -> None:
        super().__init__()
        self._providers = providers
        self.status = status
        self.search = Search()

    def show(self, status: BackgroundJobStatus, search: Search) -> None:
        """Describe another status or search."""
        self.status, self.search = status, search
        self.refresh()

    def build(self, ref: WidgetRef) -> str:
        """Return the line."""
        jobs = ref.watch(self._providers.jobs(self.status, text=self.search.text, meta=self.search.meta))
        counts = ref.watch(self._providers.counts).value
        name = self.status.lower()
        found = f" with {self.search}, Esc clears the search" if self.search else ""
        if jobs.error is not None:
            error = original(jobs.error)
            return one_line(f"Could not load the jobs: {type(error).__name__}: {error}")
        if jobs.value is None:
            return "Opening the database..."
        if found:
            number = f"{MOST_MATCHES} or more" if len(jobs.value) == MOST_MATCHES else str(len(jobs.value) or "No")
            return f"{number} {name} job{'s' * (len(jobs.value) != 1)}{found}."
        if not jobs.value:
            return f"No {name} jobs. Press e to enqueue one." if name == "pending" else f"No {name} jobs."
        shown, total = len(jobs.value), counts.by_status[self.status] if counts else 0
        if shown < total:
            return f"The newest {shown:,} of {total:,} {name} jobs. Press Enter for details."
        return f"{shown:,} {name} job{'s' * (shown != 1)}, newest first. Press Enter for details."
