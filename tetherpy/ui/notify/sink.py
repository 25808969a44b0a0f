"""Notifications and their sinks."""

from __future__ import annotations

from typing import Final, Protocol

import attrs

from tetherpy.safe_text import one_line

LONGEST_TITLE: Final = 80
LONGEST_BODY: Final = 240

# Some desktops interpret HTML in the body, others show it literally; these characters look the same on both.
_HARMLESS: Final = str.maketrans({"<": "[", ">": "]", "&": "+"})


def _title(text: str) -> str:
    return one_line(text, LONGEST_TITLE).translate(_HARMLESS)


def _body(text: str) -> str:
    return one_line(text, LONGEST_BODY).translate(_HARMLESS)


@attrs.frozen
class Notification:
    """A notification for the user.

    Title and body are sanitized: one line each, bounded, without control characters and markup.
    """

    title: str = attrs.field(converter=_title)
    body: str = attrs.field(default="", converter=_body)
    urgent: bool = attrs.field(default=False, kw_only=True)


class NotificationSink(Protocol):
    """A receiver of notifications: a desktop, or a recorder in a test."""

    async def show(self, notification: Notification) -> bool:
        """Show a notification if possible; return whether it was accepted. Does not raise if nothing can be shown."""
        ...
