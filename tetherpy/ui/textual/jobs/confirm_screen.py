"""Confirmation dialogs."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Label

from ...actions import Confirmation


class ConfirmScreen(ModalScreen[bool]):
    """A dialog that closes with whether the user confirmed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape", "answer(False)", "No"),
    ]
    DEFAULT_CSS = """
    ConfirmScreen {
        align: center middle;
        #confirmation {
            width: 60; max-width: 95%; height: auto;
            background: $surface; border: round $warning; padding: 1 2;
        }
        Label { width: 1fr; }
        Horizontal { height: auto; align-horizontal: right; margin-top: 1; }
        Button { margin-left: 2; }
    }
    """

    def __init__(self, confirmation: Confirmation) -> None:
        super().__init__()
        self._confirmation = confirmation

    def compose(self) -> ComposeResult:
        """Show the text and two buttons; the one that does nothing has the focus."""
        with Vertical(id="confirmation"):
            yield Label(self._confirmation.text, markup=False)
            with Horizontal():
                yield Button(f"{self._confirmation.no} (n)", id="no")
                yield Button(f"{self._confirmation.yes} (y)", variant="error", id="yes")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Close with the pressed button."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        """Close by key."""
        self.dismiss(answer)
