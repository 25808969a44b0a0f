"""Notifications on the desktop of the person who runs the app, through desktop-notifier (extra ``notify``)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable
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
    clock: Callable[[], float] = time.monotonic
    _notifier: DesktopNotifier | None = attrs.field(init=False, default=None)
    _silent_until: float = attrs.field(init=False, default=-math.inf)

    async def show(self, notification: Notification) -> bool:
        """Show it, and tell whether the desktop has taken it."""
        if self.clock() < self._silent_until:
            return False
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await asyncio.sleep(0)  # lets the loop notice that a bus has gone
                if self._notifier is None or not getattr(_bus_of(self._notifier), "connected", True):
                    await self.aclose()
                    await self._connect()
                taken = await _send(self._notifier, notification)
        except Exception as error:  # of the library, the bus, the service: whatever it is, nobody can be shown it
            logger.debug("no desktop takes notifications: %r", error)
            taken = False
        if not taken:
            await self.aclose()
            self._silent_until = self.clock() + AGAIN_SECONDS
        return taken

    async def _connect(self) -> None:
        from desktop_notifier import DesktopNotifier

        self._notifier = DesktopNotifier(self.app_name, app_icon=None)
        # This raises where nobody answers; sending would log a warning with a traceback instead.
        await self._notifier.get_capabilities()

    async def aclose(self) -> None:
        """Leave the bus. Closing twice is closing once."""
        notifier, self._notifier = self._notifier, None
        bus = _bus_of(notifier)
        if bus is not None:
            bus.disconnect()
            # How the connection ended is no matter by now; but it has to be asked for, or asyncio logs it as an error.
            with contextlib.suppress(Exception):
                async with asyncio.timeout(ANSWER_SECONDS):
                    await bus.wait_for_disconnect()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


def _bus_of(notifier: DesktopNotifier | None) -> Any:
    """Return the connection to the session bus: the library has no way to close it. Not every desktop has one."""
    return getattr(getattr(notifier, "_backend", None), "bus", None)


async def _send(notifier: DesktopNotifier | None, notification: Notification) -> bool:
    from desktop_notifier import Urgency

    assert notifier is not None  # it has just been connected
    dispatched: list[bool] = []
    await notifier.send(
        notification.title,
        notification.body,
        urgency=Urgency.Critical if notification.urgent else Urgency.Normal,
        on_dispatched=lambda: dispatched.append(True),
    )
    return bool(dispatched)
