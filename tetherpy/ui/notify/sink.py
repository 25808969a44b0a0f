"""What a notification is, and what takes one."""

from __future__ import annotations

from typing import Final, Protocol

import attrs

from ..safe_text import one_line

LONGEST_TITLE: Final = 80
LONGEST_BODY: Final = 240

# Some desktops read a little HTML in the body, others show it as it is: these mean the same to both.
_HARMLESS: Final = str.maketrans({"<": "[", ">": "]", "&": "+"})


def _title(text: str) -> str:
    return one_line(text, LONGEST_TITLE).translate(_HARMLESS)


def _body(text: str) -> str:
    return one_line(text, LONGEST_BODY).translate(_HARMLESS)


@attrs.frozen
class Notification:
    """Say something to whoever sits before the screen.

    Title and body are one line of bounded length each, without control characters and without what a desktop
    could take for markup, whatever they were made from.
    """

    title: str = attrs.field(converter=_title)
    body: str = attrs.field(default="", converter=_body)
    urgent: bool = False


class NotificationSink(Protocol):
    """Takes notifications: a desktop, or what stands for one in a test."""

    async def show(self, notification: Notification) -> bool:
        """Show it if possible, and tell whether it was taken; never raise because nobody can see it."""
        ...
