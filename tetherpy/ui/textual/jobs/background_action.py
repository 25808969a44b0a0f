"""Doing what somebody asked for in the background, and telling what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.widget import Widget

from tetherpy.errors import TetherError

from ...root_cause import original
from ...safe_text import plain
from ..scope import app_of, container_of


def do(widget: Widget, work: Callable[[], Awaitable[str]]) -> None:
    """Start ``work`` as long as the widget lives; what it returns, or why it failed, becomes a notification."""

    async def attempt() -> None:
        app = app_of(widget)
        try:
            done = await work()
        except Exception as failure:
            error = original(failure)
            message = str(error) if isinstance(error, TetherError) else f"{type(error).__name__}: {error}"
            app.notify(plain(message, 600), title="That failed", severity="error", timeout=10, markup=False)
            if not isinstance(error, TetherError):
                # Nobody expected this one: its traceback belongs into the log.
                container_of(app).report(error, widget)
        else:
            app.notify(plain(done, 600), markup=False)

    widget.run_worker(attempt(), group="doing")
