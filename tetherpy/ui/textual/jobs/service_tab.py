"""BackgroundServiceTab: start and stop the workers, and show their state and notification."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button

from tetherpy.jobs import NewJob
from tetherpy.safe_text import one_line, plain
from tetherpy.service import BackgroundService, ServiceState

from ...actions import CONFIRM_STOP, STOPPING, start_workers, stop_workers
from ...job_providers import JobProviders
from ...root_cause import original
from ..consumer import Consumer, ConsumerWidget
from ..ref import WidgetRef
from ..scope import app_of, container_of
from .background_action import confirm_and_run, run_in_background
from .enqueue_form import open_enqueue_form


class ServiceLine(ConsumerWidget):
    """A status line: whether workers run, and the notification of the service."""

    DEFAULT_CSS = "ServiceLine { width: 1fr; height: 1; padding: 0 1; background: $panel; }"

    def __init__(self, providers: JobProviders) -> None:
        super().__init__()
        self._providers = providers

    def build(self, ref: WidgetRef) -> Content:
        """Render the state."""
        state = ref.watch(self._providers.service_state).value
        if state is None or not state.running:
            return Content.assemble(("○ stopped", "dim"), "  no workers running; jobs stay pending")
        workers = len(state.workers)
        return Content.assemble(
            ("● running", "bold $text-success"),
            f"  {workers} worker{'s' * (workers != 1)}  ",
            (one_line(state.notification_title, 60), "bold"),
            "  ",
            one_line(state.notification_content, 200),
        )


class ServiceCard(ConsumerWidget):
    """The service: its workers, and the notification that handlers set."""

    DEFAULT_CSS = """
    ServiceCard { width: 1fr; height: auto; border: round $primary; border-title-color: $text-muted; padding: 0 1; }
    """

    def __init__(self, providers: JobProviders) -> None:
        super().__init__()
        self._providers = providers
        self.border_title = "Background service"

    def build(self, ref: WidgetRef) -> Content:
        """Render the state."""
        state = ref.watch(self._providers.service_state)
        if (error := state.error) is not None:
            return Content.styled(plain(f"Could not load the service state: {original(error)}"), "$text-error")
        service = state.value
        if service is None or not service.running:
            return Content.assemble(
                ("○ Service status: stopped\n\n", "bold"), ("Jobs stay pending until the workers are started.", "dim")
            )
        workers = ", ".join(str(worker.pid) for worker in service.workers) or "none yet"
        return Content.assemble(
            ("● Service status: running\n\n", "bold $text-success"),
            ("Workers       ", "dim"),
            f"{workers}\n",
            ("Notification  ", "dim"),
            (one_line(service.notification_title), "bold"),
            "\n              ",
            one_line(service.notification_content, 400),
            *_code(service),
        )


def _code(service: ServiceState) -> Iterator[Content | tuple[str, str] | str]:
    if service.settings is not None and service.started_at is not None:
        yield from ("\n", ("Callback      ", "dim"), f"{one_line(service.settings.callback)}, ")
        yield f"since {service.started_at.astimezone():%Y-%m-%d %H:%M:%S}"
    if service.changed_files:
        yield ("\nCode          ", "dim")
        yield (f"older than {one_line(', '.join(service.changed_files), 400)}; restart the workers", "$text-warning")


class ServiceButtons(Horizontal, Consumer):
    """The buttons; those without effect are disabled."""

    DEFAULT_CSS = "ServiceButtons { height: auto; margin: 1 0; Button { margin-right: 2; } }"

    def __init__(self, providers: JobProviders) -> None:
        super().__init__()
        self._providers = providers

    def compose(self) -> ComposeResult:
        """Create the buttons."""
        yield Button("Start (s)", variant="success", id="start")
        yield Button("Stop (x)", variant="error", id="stop")
        yield Button("Enqueue (e)", variant="primary", id="enqueue")

    def build(self, ref: WidgetRef) -> None:
        """Enable the buttons that have an effect."""
        state = self._providers.service_state
        running = ref.watch(state.select(lambda state: state.value is not None and state.value.running))
        self.query_one("#start", Button).disabled = running or not self._providers.startable
        self.query_one("#stop", Button).disabled = not running


class BackgroundServiceTab(VerticalScroll):
    """The background service: its state, start, stop, and a form to enqueue a job.

    Args:
        providers: the providers to watch.
        suggested: the initial content of the form for a new job.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "start", "Start"),
        Binding("x", "stop", "Stop"),
        Binding("e", "enqueue", "Enqueue"),
    ]
    DEFAULT_CSS = "BackgroundServiceTab { height: 1fr; padding: 1 1 0 1; }"

    def __init__(self, providers: JobProviders, suggested: NewJob | None = None) -> None:
        super().__init__()
        self._providers = providers
        self._suggested = suggested

    def compose(self) -> ComposeResult:
        """Lay out card and buttons."""
        yield ServiceCard(self._providers)
        yield ServiceButtons(self._providers)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Run the action of the button."""
        match event.button.id:
            case "start":
                self.action_start()
            case "stop":
                self.action_stop()
            case _:
                self.action_enqueue()

    @property
    def _service(self) -> BackgroundService:
        return container_of(self).read(self._providers.service)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to start only a service that can be started."""
        return action != "start" or self._providers.startable

    def action_start(self) -> None:
        """Start the workers."""
        run_in_background(self, lambda: start_workers(self._service))

    def action_stop(self) -> None:
        """Stop the workers after a confirmation."""

        async def stop() -> str:
            app_of(self).notify(STOPPING, markup=False)
            return await stop_workers(self._service)

        confirm_and_run(self, CONFIRM_STOP, stop)

    def action_enqueue(self) -> None:
        """Open the form for a new job."""
        open_enqueue_form(self, self._providers, self._suggested)
