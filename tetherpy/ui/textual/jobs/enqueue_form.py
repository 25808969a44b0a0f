"""A form for a new job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Button, Input, Label, TextArea

from tetherpy.jobs import BackgroundJobManager, NewJob, PayloadDecodeError, decode, stored_options
from tetherpy.safe_text import plain
from tetherpy.service import ServiceManifest

from ...errors import FieldError
from ...job_providers import JobProviders
from ...option_fields import option_fields, read_options
from ..consumer import Consumer
from ..ref import WidgetRef
from ..scope import app_of, container_of
from .background_action import run_in_background


class OptionInputs(Grid, Consumer):
    """The options of the new job; those that the user has not edited are those of the definition of its key."""

    def __init__(self, providers: JobProviders, suggested: NewJob | None) -> None:
        super().__init__()
        self._providers = providers
        self._suggested = suggested
        self._manifest = ServiceManifest()
        self._job_key = "" if suggested is None else suggested.job_key
        self._filled: dict[str, str] = {}

    @property
    def initial(self) -> Mapping[str, Any]:
        """Return the stored options of a job of the definition."""
        if self._suggested is not None and self._suggested.job_key == self._job_key:
            return stored_options(self._suggested)
        return self._manifest.handler(self._job_key).options

    def compose(self) -> ComposeResult:
        """Lay out a field per option."""
        for field in option_fields(self.initial):
            self._filled[field.name] = str(field.initial)
            with Horizontal():
                yield Label(field.label)
                yield Input(str(field.initial), id=field.name, tooltip=field.hint)

    def build(self, ref: WidgetRef) -> None:
        """Take the definitions that the workers have described."""
        self._manifest = ref.watch(self._providers.manifest).value or ServiceManifest()
        keys = [handler.job_key for handler in self._manifest.handlers]
        self.screen.query_one("#key", Input).suggester = SuggestFromList(keys)
        self.fill_in(self._job_key)

    def fill_in(self, job_key: str) -> None:
        """Show the options of another definition in the fields that were not edited."""
        self._job_key = job_key
        for field in option_fields(self.initial):
            shown = self.query_one(f"#{field.name}", Input)
            if shown.value == self._filled[field.name]:
                shown.value = self._filled[field.name] = str(field.initial)

    @property
    def texts(self) -> dict[str, str]:
        """Return the texts of the fields by the names of the options."""
        return {name: self.query_one(f"#{name}", Input).value for name in self._filled}


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
        Input { border: none; height: 1; padding: 0 1; background: $boost; }
        Input:focus, TextArea:focus { background: $primary 20%; }
        #key, TextArea { margin-bottom: 1; }
        TextArea { border: none; height: 5; background: $boost; }
        OptionInputs { grid-size: 2; grid-rows: 1; grid-gutter: 0 2; height: auto; margin-bottom: 1; }
        OptionInputs Horizontal { height: 1; }
        OptionInputs Label { width: 14; }
        OptionInputs Input { width: 1fr; }
        #error { color: $text-error; height: auto; width: 1fr; }
        #buttons { height: auto; align-horizontal: right; }
        Button { margin-left: 2; }
    }
    """

    def __init__(self, providers: JobProviders, suggested: NewJob | None = None) -> None:
        super().__init__()
        self._providers = providers
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
            yield OptionInputs(self._providers, suggested)
            yield Label("", id="error", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Cancel (esc)", id="cancel")
                yield Button("Enqueue (ctrl+s)", variant="primary", id="send")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Offer the options of the definition with this key."""
        if event.input.id == "key":
            self.query_one(OptionInputs).fill_in(event.value.strip())

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
        except FieldError as error:
            self._show_error(f"{error.field}: {error}")
        except (ValueError, OverflowError, PayloadDecodeError) as error:
            self._show_error(str(error))

    def _show_error(self, message: str) -> None:
        self.query_one("#error", Label).update(plain(message, 400))

    def _job(self) -> NewJob:
        text = self.query_one("#payload", TextArea).text.strip()
        options = self.query_one(OptionInputs)
        return NewJob(
            job_key=self.query_one("#key", Input).value.strip(),
            payload=decode(text) if text else None,
            **read_options(options.texts, options.initial),
        )


def open_enqueue_form(widget: Widget, providers: JobProviders, suggested: NewJob | None = None) -> None:
    """Open the form, and enqueue the submitted job in the background."""

    def submitted(job: NewJob | None) -> None:
        if job is not None:
            run_in_background(widget, lambda: _enqueue(container_of(widget).read(providers.manager), job))

    app_of(widget).push_screen(EnqueueScreen(providers, suggested), submitted)


async def _enqueue(manager: BackgroundJobManager, job: NewJob) -> str:
    """Enqueue the job, and return the message."""
    (job_id,) = await manager.enqueue_many([job])
    return f"Job {job_id} ({job.job_key}) enqueued."


def _written(payload: object) -> str:
    return msgspec.json.format(msgspec.json.encode(payload), indent=2).decode()
