"""Run actions in the background, and notify the user of their results."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.widget import Widget

from tetherpy.errors import TetherError
from tetherpy.safe_text import plain

from ...actions import Confirmation
from ...root_cause import original
from ..scope import app_of, container_of
from .confirm_screen import ConfirmScreen


def run_in_background(widget: Widget, work: Callable[[], Awaitable[str]]) -> None:
    """Run ``work`` while the widget is mounted; its result or its error becomes a notification."""

    async def attempt() -> None:
        app = app_of(widget)
        try:
            done = await work()
        except Exception as failure:
            error = original(failure)
            message = str(error) if isinstance(error, TetherError) else f"{type(error).__name__}: {error}"
            app.notify(plain(message, 600), title="Failed", severity="error", timeout=10, markup=False)
            if not isinstance(error, TetherError):
                # An unexpected error: log its traceback.
                container_of(app).report(error, widget)
        else:
            app.notify(plain(done, 600), markup=False)

    widget.run_worker(attempt(), group="actions")


def confirm_and_run(widget: Widget, confirmation: Confirmation | None, work: Callable[[], Awaitable[str]]) -> None:
    """Run ``work`` in the background, after the user has confirmed if there is a confirmation."""

    def closed(confirmed: bool | None) -> None:
        if confirmed:
            run_in_background(widget, work)

    if confirmation is None:
        closed(True)
    else:
        app_of(widget).push_screen(ConfirmScreen(confirmation), closed)
