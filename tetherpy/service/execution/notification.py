"""The notification that the service shows to the user."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from ..protocol.frames import Notice
from ..protocol.settings import shown


@attrs.define(eq=False)
class Notification:
    """Title, content and visibility of the notification; ``on_change`` is called after each change."""

    title: str
    content: str
    on_change: Callable[[Notice], None]
    foreground: bool = True

    def show(self, title: str | None, content: str | None) -> None:
        """Set title and content; None keeps a value. Lone surrogates are escaped."""
        self._become(
            self.title if title is None else shown(title),
            self.content if content is None else shown(content),
        )

    def move(self, *, foreground: bool) -> None:
        """Show or hide the notification."""
        self._become(self.title, self.content, foreground)

    def _become(self, title: str, content: str, foreground: bool | None = None) -> None:
        now = Notice(title, content, self.foreground if foreground is None else foreground)
        if now == Notice(self.title, self.content, self.foreground):
            return
        self.title, self.content, self.foreground = now.title, now.content, now.foreground
        self.on_change(now)
