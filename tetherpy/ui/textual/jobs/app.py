"""JobsApp: both screens as an app, shown by ``tetherpy top``."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer, Header, TabbedContent, TabPane

from tetherpy.jobs import NewJob
from tetherpy.reactive import ProviderContainer

from ...job_providers import JobProviders
from ...notify import JobNotifications, NotificationSink
from ..scope import ProviderApp
from .dashboard import JobStatusDashboard
from .service_tab import BackgroundServiceTab, ServiceLine


class JobsApp(ProviderApp[None]):
    """The jobs and the service of a database in a terminal.

    Args:
        providers: the providers to watch.
        container: the container of the providers; None creates one.
        title: the title of the app.
        suggested: the initial content of the form for a new job.
        notifications: the sink for notifications about finished jobs, such as a desktop.
    """

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "open('jobs')", "Jobs", show=False),
        Binding("w", "open('service')", "Service", show=False),
        Binding("question_mark", "help", "Keys", key_display="?"),
        Binding("q,ctrl+c", "quit", "Quit", key_display="q"),
    ]
    CSS = """
    TabbedContent { height: 1fr; }
    TabPane { padding: 0; }
    """

    def __init__(
        self,
        providers: JobProviders,
        container: ProviderContainer | None = None,
        *,
        title: str = "tetherpy",
        suggested: NewJob | None = None,
        notifications: NotificationSink | None = None,
    ) -> None:
        super().__init__(container)
        self._notifications_sink = notifications
        self._providers = providers
        self._suggested = suggested
        self.title = title

    def compose(self) -> ComposeResult:
        """Lay out both screens as tabs."""
        yield Header(icon=" ")
        with TabbedContent(initial="jobs"):
            with TabPane("Jobs (j)", id="jobs"):
                yield JobStatusDashboard(self._providers, self._suggested)
            with TabPane("Service (w)", id="service"):
                yield BackgroundServiceTab(self._providers, self._suggested)
        yield ServiceLine(self._providers)
        yield Footer()

    def on_mount(self) -> None:
        """Begin with the jobs."""
        self.action_open("jobs")
        if self._notifications_sink is not None:
            self.run_worker(JobNotifications(self.container, self._providers, self._notifications_sink).run())

    def action_open(self, tab: str) -> None:
        """Show a tab, and focus it."""
        self.query_one(TabbedContent).active = tab
        self.query_one(JobStatusDashboard if tab == "jobs" else BackgroundServiceTab).focus()

    def action_help(self) -> None:
        """Show or hide the list of keys."""
        if self.screen.query("HelpPanel"):
            self.action_hide_help_panel()
        else:
            self.action_show_help_panel()
