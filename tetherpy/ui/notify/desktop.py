"""Notifications on the desktop of the person who runs the app, through desktop-notifier (extra ``notify``)."""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import attrs

from .sink import Notification

if TYPE_CHECKING:
    from desktop_notifier import DesktopNotifier

logger = logging.getLogger("tetherpy.ui")

ANSWER_SECONDS: Final = 5.0
"""How long the desktop may take to answer."""
AGAIN_SECONDS: Final = 60.0
"""How long to be silent after the desktop did not answer."""


@attrs.define(eq=False)
class DesktopNotifications:
    """Show notifications where a desktop answers; be silent where none does, or without the extra ``notify``.

    On Linux that is a session bus with a notification service. Close it, or leave its ``async with`` block, to
    leave the bus.
    """

    app_name: str = "tetherpy"
    _notifier: DesktopNotifier | None = attrs.field(init=False, default=None)
    _silent_until: float = attrs.field(init=False, default=0.0)

    async def show(self, notification: Notification) -> bool:
        """Show it, and tell whether the desktop has taken it."""
        if asyncio.get_running_loop().time() < self._silent_until:
            return False
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                notifier = self._notifier or await self._connect()
                taken = await _send(notifier, notification)
        except Exception as error:  # of the library, the bus, the service: whatever it is, nobody can be shown it
            logger.debug("no desktop takes notifications: %r", error)
            taken = False
        if not taken:
            self.close()
            self._silent_until = asyncio.get_running_loop().time() + AGAIN_SECONDS
        return taken

    async def _connect(self) -> DesktopNotifier:
        from desktop_notifier import DesktopNotifier

        notifier = self._notifier = DesktopNotifier(self.app_name, app_icon=None)
        # This raises where nobody answers; sending would log a warning with a traceback instead.
        await notifier.get_capabilities()
        return notifier

    def close(self) -> None:
        """Leave the bus. Closing twice is closing once."""
        notifier, self._notifier = self._notifier, None
        # The library has no way to close its connection; not every desktop has one.
        backend: Any = getattr(notifier, "_backend", None)
        bus = getattr(backend, "bus", None)
        if bus is not None:
            bus.disconnect()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


async def _send(notifier: DesktopNotifier, notification: Notification) -> bool:
    from desktop_notifier import Urgency

    dispatched: list[bool] = []
    await notifier.send(
        notification.title,
        notification.body,
        urgency=Urgency.Critical if notification.urgent else Urgency.Normal,
        on_dispatched=lambda: dispatched.append(True),
    )
    return bool(dispatched)
