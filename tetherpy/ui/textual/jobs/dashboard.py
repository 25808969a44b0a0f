"""JobStatusDashboard: the jobs by status, one job in detail, and their actions."""

from __future__ import annotations

from typing import ClassVar, Self

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import DataTable, Input

from tetherpy.jobs import BackgroundJobManager, BackgroundJobStatus, NewJob

from ...actions import CANCEL, DELETE, RETRY, JobAction
from ...job_providers import JobProviders
from ..scope import app_of, container_of
from .background_action import confirm_and_run
from .enqueue_form import open_enqueue_form
from .job_detail import JobDetail, JobScreen
from .job_table import JobTable, Search, TableNote
from .tiles import StatusTile, StatusTiles

CANCELLABLE = frozenset({BackgroundJobStatus.PENDING, BackgroundJobStatus.RUNNING})
SEARCH_FIELDS = ("#find", "#find-meta")
WIDE_ENOUGH = 110
"""Minimum width in columns to show the selected job next to the table."""


class JobStatusDashboard(Vertical):
    """The jobs of a database: counts by status, the jobs of one status, and the selected job.

    Args:
        providers: the providers to watch.
        suggested: the initial content of the form for a new job.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "enqueue", "Enqueue"),
        Binding("r", "retry", "Retry"),
        Binding("c", "cancel", "Cancel"),
        Binding("d", "delete", "Delete"),
        Binding("D", "delete_all", "Delete all", key_display="D"),
        Binding("slash", "find", "Search", key_display="/"),
        Binding("escape", "find_all", "Clear search", show=False),
        *(
            Binding(str(number), f"show('{status}')", status.capitalize(), show=False)
            for number, status in enumerate(BackgroundJobStatus, start=1)
        ),
    ]
    DEFAULT_CSS = """
    JobStatusDashboard {
        height: 1fr;
        padding: 1 1 0 1;
        #beside {
            width: 1fr; height: 1fr; display: none;
            border-left: solid $panel; scrollbar-size-vertical: 1;
        }
        &.wide #beside { display: block; }
        #search { display: none; height: 1; }
        #search Input { border: none; height: 1; width: 2fr; padding: 0 1; background: $primary 20%; }
        #search #find-meta { width: 1fr; margin-left: 1; }
        &.finding #search { display: block; }
    }
    """

    def __init__(self, providers: JobProviders, suggested: NewJob | None = None) -> None:
        super().__init__()
        self._providers = providers
        self._suggested = suggested
        self.status = BackgroundJobStatus.PENDING

    def compose(self) -> ComposeResult:
        """Lay out tiles, table, detail and status line."""
        yield StatusTiles(self._providers)
        with Horizontal():
            yield JobTable(self._providers, self.status)
            with VerticalScroll(id="beside"):
                yield JobDetail(self._providers)
        yield TableNote(self._providers, self.status)
        with Horizontal(id="search"):
            yield Input(placeholder="Search key, payload, error, meta or unique key", id="find")
            yield Input(placeholder="Meta: key=value", id="find-meta")

    def on_mount(self) -> None:
        """Begin with the pending jobs."""
        self.action_show(self.status)

    def focus(self, scroll_visible: bool = True) -> Self:
        """Focus the table."""
        self.query_one(JobTable).focus(scroll_visible)
        return self

    def on_resize(self) -> None:
        """Show the detail if there is room."""
        self.set_class(self.size.width >= WIDE_ENOUGH, "wide")

    # -- selection -------------------------------------------------------------------------------

    def on_status_tile_chosen(self, message: StatusTile.Chosen) -> None:
        """Show the jobs of the selected status."""
        self.action_show(message.status)

    def on_data_table_row_highlighted(self) -> None:
        """Show the selected job."""
        self.query_one(JobDetail).show(self.query_one(JobTable).job_id)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open the selected job."""
        if (job_id := self.query_one(JobTable).job_id) is not None:
            app_of(self).push_screen(JobScreen(self._providers, job_id))

    def action_show(self, status: str) -> None:
        """Show the jobs with one status."""
        self.status = BackgroundJobStatus(status)
        self.query_one(StatusTiles).choose(self.status)
        search = Search(*(self.query_one(name, Input).value.strip() for name in SEARCH_FIELDS))
        self.query_one(TableNote).show(self.status, search)
        table = self.query_one(JobTable)
        table.show(self.status, search)
        self.query_one(JobDetail).show(table.job_id)
        self.refresh_bindings()

    def action_find(self) -> None:
        """Open the search fields."""
        self.add_class("finding")
        self.query_one("#find", Input).focus()

    def on_input_submitted(self) -> None:
        """Show the jobs that the search finds."""
        self.action_show(self.status)
        self.query_one(JobTable).focus()

    def action_find_all(self) -> None:
        """Clear the search."""
        self.remove_class("finding")
        for name in SEARCH_FIELDS:
            self.query_one(name, Input).value = ""
        self.on_input_submitted()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the actions for jobs with this status."""
        match action:
            case "retry":
                return self.status.is_finished
            case "cancel":
                return self.status in CANCELLABLE
            case "delete" | "delete_all":
                return self.status is not BackgroundJobStatus.RUNNING
            case _:
                return True

    # -- actions ---------------------------------------------------------------------------------

    @property
    def _manager(self) -> BackgroundJobManager:
        return container_of(self).read(self._providers.manager)

    def action_enqueue(self) -> None:
        """Open the form for a new job."""
        open_enqueue_form(self, self._providers, self._suggested)

    def action_retry(self) -> None:
        """Retry the selected job."""
        self._run(RETRY)

    def action_cancel(self) -> None:
        """Cancel the selected job."""
        self._run(CANCEL)

    def action_delete(self) -> None:
        """Delete the selected job after a confirmation."""
        self._run(DELETE)

    def action_delete_all(self) -> None:
        """Delete all jobs with this status after a confirmation."""
        status = self.status

        async def delete() -> str:
            return DELETE.message(await self._manager.delete_jobs_by_status(status))

        confirm_and_run(self, DELETE.confirm_all(f"all {status.lower()} jobs (including those not listed)"), delete)

    def _run(self, action: JobAction) -> None:
        if (job_id := self.query_one(JobTable).job_id) is None:
            return

        async def run() -> str:
            results = await action.run(self._manager.engine, [job_id])
            for error in results.refused:
                raise error
            return results.message()

        confirm_and_run(self, action.confirm_one(job_id), run)
