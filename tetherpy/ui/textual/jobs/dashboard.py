"""JobStatusDashboard: the jobs by state, one of them in full, and everything that can be done to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar, Self

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import DataTable, Input

from tetherpy.jobs import BackgroundJobManager, BackgroundJobStatus, NewJob

from ...job_providers import JobProviders
from ..scope import app_of, container_of
from .background_action import do
from .confirm_screen import ConfirmScreen
from .enqueue_form import EnqueueScreen, enqueue
from .job_detail import JobDetail, JobScreen
from .job_table import JobTable, TableNote
from .tiles import StatusTile, StatusTiles

CANCELLABLE = frozenset({BackgroundJobStatus.PENDING, BackgroundJobStatus.RUNNING})
WIDE_ENOUGH = 110
"""From so many columns on, the job under the cursor is shown beside the table."""


class JobStatusDashboard(Vertical):
    """The jobs of a database: five states, a table of one of them, the job under the cursor.

    Args:
        providers: what to watch.
        suggested: what the form for a new job has in it at first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "enqueue", "Enqueue"),
        Binding("r", "retry", "Retry"),
        Binding("c", "cancel", "Cancel"),
        Binding("d", "delete", "Delete"),
        Binding("D", "delete_all", "Delete all", key_display="D"),
        Binding("slash", "find", "Find", key_display="/"),
        Binding("escape", "find_all", "Show all", show=False),
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
        #find { display: none; border: none; height: 1; padding: 0 1; background: $primary 20%; }
        &.finding #find { display: block; }
    }
    """

    def __init__(self, providers: JobProviders, suggested: NewJob | None = None) -> None:
        super().__init__()
        self._providers = providers
        self._suggested = suggested
        self.status = BackgroundJobStatus.PENDING

    def compose(self) -> ComposeResult:
        """Lay out tiles, table, detail and note."""
        yield StatusTiles(self._providers)
        with Horizontal():
            yield JobTable(self._providers, self.status)
            with VerticalScroll(id="beside"):
                yield JobDetail(self._providers)
        yield TableNote(self._providers, self.status)
        yield Input(placeholder="in key, payload, error or unique key", id="find")

    def on_mount(self) -> None:
        """Begin with what waits."""
        self.action_show(self.status)

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the keyboard to the table."""
        self.query_one(JobTable).focus(scroll_visible)
        return self

    def on_resize(self) -> None:
        """Show the detail where there is room."""
        self.set_class(self.size.width >= WIDE_ENOUGH, "wide")

    # -- choosing --------------------------------------------------------------------------------

    def on_status_tile_chosen(self, message: StatusTile.Chosen) -> None:
        """Show the jobs of the tile."""
        self.action_show(message.status)

    def on_data_table_row_highlighted(self) -> None:
        """Show the job under the cursor."""
        self.query_one(JobDetail).show(self.query_one(JobTable).job_id)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Show the job in full."""
        if (job_id := self.query_one(JobTable).job_id) is not None:
            app_of(self).push_screen(JobScreen(self._providers, job_id))

    def action_show(self, status: str) -> None:
        """Show the jobs in one state."""
        self.status = BackgroundJobStatus(status)
        self.query_one(StatusTiles).choose(self.status)
        text = self.query_one("#find", Input).value.strip()
        self.query_one(TableNote).show(self.status, text)
        table = self.query_one(JobTable)
        table.show(self.status, text)
        self.query_one(JobDetail).show(table.job_id)
        self.refresh_bindings()

    def action_find(self) -> None:
        """Ask for a text."""
        self.add_class("finding")
        self.query_one("#find", Input).focus()

    def on_input_submitted(self) -> None:
        """Show the jobs that have the text in them."""
        self.action_show(self.status)
        self.query_one(JobTable).focus()

    def action_find_all(self) -> None:
        """Show all jobs again."""
        self.remove_class("finding")
        self.query_one("#find", Input).value = ""
        self.on_input_submitted()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what can be done to jobs in this state."""
        match action:
            case "retry":
                return self.status.is_finished
            case "cancel":
                return self.status in CANCELLABLE
            case "delete" | "delete_all":
                return self.status is not BackgroundJobStatus.RUNNING
            case _:
                return True

    # -- doing -----------------------------------------------------------------------------------

    @property
    def _manager(self) -> BackgroundJobManager:
        return container_of(self).read(self._providers.manager)

    def action_enqueue(self) -> None:
        """Ask for a new job."""

        def asked(job: NewJob | None) -> None:
            if job is not None:
                do(self, lambda: enqueue(self._manager, job))

        app_of(self).push_screen(EnqueueScreen(self._suggested), asked)

    def action_retry(self) -> None:
        """Run the job under the cursor once more."""
        if (job_id := self.query_one(JobTable).job_id) is None:
            return

        async def retry() -> str:
            await self._manager.retry_job(job_id)
            return f"Job {job_id} waits for another try."

        do(self, retry)

    def action_cancel(self) -> None:
        """Cancel the job under the cursor, if that is meant."""
        if (job_id := self.query_one(JobTable).job_id) is None:
            return

        async def cancel() -> str:
            job = await self._manager.cancel_job(job_id)
            return f"Job {job_id} is {'cancelled' if job.status.is_finished else 'asked to stop'}."

        self._confirm(f"Cancel job {job_id}?", "Cancel it", cancel)

    def action_delete(self) -> None:
        """Delete the job under the cursor, if that is meant."""
        if (job_id := self.query_one(JobTable).job_id) is None:
            return

        async def delete() -> str:
            await self._manager.delete_job(job_id)
            return f"Job {job_id} is deleted."

        self._confirm(f"Delete job {job_id} and all that is known of its attempts?", "Delete it", delete)

    def action_delete_all(self) -> None:
        """Delete all jobs in this state, if that is meant."""
        status = self.status

        async def delete() -> str:
            deleted = await self._manager.delete_jobs_by_status(status)
            return f"{deleted:,} {status.lower()} job{'s are' if deleted != 1 else ' is'} deleted."

        self._confirm(f"Delete all jobs that are {status}, also those not shown here?", "Delete them", delete)

    def _confirm(self, question: str, yes: str, work: Callable[[], Awaitable[str]]) -> None:
        def answered(meant: bool | None) -> None:
            if meant:
                do(self, work)

        app_of(self).push_screen(ConfirmScreen(question, yes), answered)
