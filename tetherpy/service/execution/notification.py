"""What the service shows the user while it works."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from ..protocol.frames import Notice
from ..protocol.settings import shown


@attrs.define(eq=False)
class Notification:
    """Hold title, content and whether the service is shown at all; tell of each change."""

    title: str
    content: str
    on_change: Callable[[Notice], None]
    foreground: bool = True

    def show(self, title: str | None, content: str | None) -> None:
        """Change what is given, keep what is None; lone surrogates are escaped."""
        self._become(
            self.title if title is None else shown(title),
            self.content if content is None else shown(content),
        )

    def move(self, *, foreground: bool) -> None:
        """Show the service, or hide it."""
        self._become(self.title, self.content, foreground)

    def _become(self, title: str, content: str, foreground: bool | None = None) -> None:
        now = Notice(title, content, self.foreground if foreground is None else foreground)
        if now == Notice(self.title, self.content, self.foreground):
            return
        self.title, self.content, self.foreground = now.title, now.content, now.foreground
        self.on_change(now)
