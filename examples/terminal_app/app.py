"""BackgroundServiceTab and JobStatusDashboard with the providers of this app."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer, Header, TabbedContent, TabPane

import providers
from tetherpy import JobDefinition
from tetherpy.ui import DesktopNotifications, JobNotifications, JobProviders
from tetherpy.ui.textual import BackgroundServiceTab, JobStatusDashboard, ProviderApp

from .pending import PendingJobs

PROVIDERS = JobProviders(
    manager=providers.background_job_manager_provider,
    counts=providers.job_counts_stream_provider,
    jobs_by_status=providers.jobs_by_status_stream_provider,
    job=providers.job_stream_provider,
    service=providers.background_service_provider,
    service_state=providers.service_state_stream_provider,
)
dummy_task = JobDefinition("dummyTask", payload=dict[str, str], priority=1)
DUMMY_TASK = dummy_task.new({"message": "Hello from the terminal"})


class TerminalApp(ProviderApp[None]):
    """Two tabs with the widgets of the library and one of this app."""

    TITLE = "Background jobs"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "open('service')", "Service"),
        Binding("f2", "open('jobs')", "Jobs"),
        Binding("q,ctrl+c", "quit", "Quit", key_display="q"),
    ]
    CSS = """
    TabbedContent { height: 1fr; }
    TabPane { padding: 0; }
    #service BackgroundServiceTab { height: auto; }
    """

    def compose(self) -> ComposeResult:
        yield Header(icon=" ")
        with TabbedContent(initial="service"):
            with TabPane("Service (F1)", id="service"):
                yield BackgroundServiceTab(PROVIDERS, DUMMY_TASK)
                yield PendingJobs()
            with TabPane("Jobs (F2)", id="jobs"):
                yield JobStatusDashboard(PROVIDERS, DUMMY_TASK)
        yield Footer()

    def on_mount(self) -> None:
        self.action_open("service")
        self.run_worker(self.notify_desktop())

    async def notify_desktop(self) -> None:
        async with DesktopNotifications(self.title) as desktop:
            await JobNotifications(self.container, PROVIDERS, desktop).run()

    def action_open(self, tab: str) -> None:
        self.query_one(TabbedContent).active = tab
        self.query_one(JobStatusDashboard if tab == "jobs" else BackgroundServiceTab).focus()
