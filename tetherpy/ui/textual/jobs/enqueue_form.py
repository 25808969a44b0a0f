"""A form for a new job."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Label, TextArea

from tetherpy.jobs import BackgroundJobManager, NewJob, PayloadDecodeError, decode

from ...safe_text import plain
from ..scope import app_of
from .background_action import run_in_background


class EnqueueScreen(ModalScreen[NewJob | None]):
    """The form for a new job; closes with the job, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel"),
        Binding("ctrl+s", "send", "Enqueue", priority=True),
    ]
    DEFAULT_CSS = """
    EnqueueScreen {
        align: center middle;
        #form {
            width: 68; max-width: 95%; height: auto; max-height: 95%;
            background: $surface; border: round $primary; padding: 0 2;
        }
        Label { color: $text-muted; }
        Input { border: none; height: 1; padding: 0 1; margin-bottom: 1; background: $boost; }
        Input:focus, TextArea:focus { background: $primary 20%; }
        TextArea { border: none; height: 6; margin-bottom: 1; background: $boost; }
        .short { width: 1fr; height: auto; }
        .short Input { width: 12; }
        #error { color: $text-error; height: auto; width: 1fr; }
        #buttons { height: auto; align-horizontal: right; }
        Button { margin-left: 2; }
    }
    """

    def __init__(self, suggested: NewJob | None = None) -> None:
        super().__init__()
        self._suggested = suggested

    def compose(self) -> ComposeResult:
        """Lay out the fields."""
        suggested = self._suggested
        payload = "" if suggested is None or suggested.payload is None else _written(suggested.payload)
        with VerticalScroll(id="form") as form:
            form.border_title = "Enqueue a job"
            yield Label("Job key")
            yield Input(suggested.job_key if suggested else "", id="key", placeholder="the key of a handler")
            yield Label("Payload (JSON; may be empty)")
            yield TextArea(payload, id="payload", tab_behavior="focus")
            with Horizontal(classes="short"):
                yield Label("Priority ")
                yield Input(str(suggested.priority if suggested else 0), id="priority", type="integer")
                yield Label("  Max attempts ")
                yield Input(str(suggested.max_attempts if suggested else 3), id="max_attempts", type="integer")
                yield Label("  Delay (s) ")
                yield Input("0", id="delay", type="number")
            yield Label("", id="error", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Cancel (esc)", id="cancel")
                yield Button("Enqueue (ctrl+s)", variant="primary", id="send")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Submit or close the form."""
        if event.button.id == "send":
            self.action_send()
        else:
            self.dismiss(None)

    def on_input_submitted(self) -> None:
        """Submit the form with Enter in a field."""
        self.action_send()

    def action_send(self) -> None:
        """Close with the job, or show what is invalid."""
        try:
            self.dismiss(self._job())
        except (ValueError, OverflowError, PayloadDecodeError) as error:
            self.query_one("#error", Label).update(plain(str(error), 400))

    def _job(self) -> NewJob:
        text = self.query_one("#payload", TextArea).text.strip()
        return NewJob(
            job_key=self._field("key").strip(),
            payload=decode(text) if text else None,
            priority=int(self._field("priority") or 0),
            max_attempts=int(self._field("max_attempts") or 3),
            delay=float(self._field("delay") or 0) or None,
        )

    def _field(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value


def open_enqueue_form(
    widget: Widget, manager: Callable[[], BackgroundJobManager], suggested: NewJob | None = None
) -> None:
    """Open the form, and enqueue the submitted job in the background."""

    def submitted(job: NewJob | None) -> None:
        if job is not None:
            run_in_background(widget, lambda: _enqueue(manager(), job))

    app_of(widget).push_screen(EnqueueScreen(suggested), submitted)


async def _enqueue(manager: BackgroundJobManager, job: NewJob) -> str:
    """Enqueue the job, and return the message."""
    (job_id,) = await manager.enqueue_many([job])
    return f"Job {job_id} ({job.job_key}) enqueued."


def _written(payload: object) -> str:
    return msgspec.json.format(msgspec.json.encode(payload), indent=2).decode()
