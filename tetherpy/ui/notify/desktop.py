"""Desktop notifications through desktop-notifier (extra ``notify``)."""

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
"""The timeout of a request to the desktop."""
AGAIN_SECONDS: Final = 60.0
"""The pause after a request without a response."""


@attrs.define(eq=False)
class DesktopNotifications:
    """Shows notifications if a desktop is available; does nothing otherwise, or without the extra ``notify``.

    On Linux it needs a session bus with a notification service. ``aclose``, or the end of its ``async with`` block,
    disconnects from the bus.
    """

    app_name: str = "tetherpy"
    monotonic: Callable[[], float] = attrs.field(default=time.monotonic, kw_only=True)
    _notifier: DesktopNotifier | None = attrs.field(init=False, default=None)
    _silent_until: float = attrs.field(init=False, default=-math.inf)

    async def show(self, notification: Notification) -> bool:
        """Show a notification; return whether the desktop accepted it."""
        if self.monotonic() < self._silent_until:
            return False
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await asyncio.sleep(0)  # lets the loop notice a closed bus
                if self._notifier is None or not getattr(_bus_of(self._notifier), "connected", True):
                    await self.aclose()
                    await self._connect()
                taken = await _send(self._notifier, notification)
        except Exception as error:  # any error of the library, the bus or the service
            logger.debug("desktop notifications are unavailable: %r", error)
            taken = False
        if not taken:
            await self.aclose()
            self._silent_until = self.monotonic() + AGAIN_SECONDS
        return taken

    async def _connect(self) -> None:
        from desktop_notifier import DesktopNotifier

        self._notifier = DesktopNotifier(self.app_name, app_icon=None)
        # Raises without a notification service; send() would log a warning with a traceback instead.
        await self._notifier.get_capabilities()

    async def aclose(self) -> None:
        """Disconnect from the bus. Closing again has no effect."""
        notifier, self._notifier = self._notifier, None
        bus = _bus_of(notifier)
        if bus is not None:
            bus.disconnect()
            # Retrieve the result, or asyncio logs it as an unhandled error.
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
    """Return the connection to the session bus, if any; the library has no method to close it."""
    return getattr(getattr(notifier, "_backend", None), "bus", None)


async def _send(notifier: DesktopNotifier | None, notification: Notification) -> bool:
    from desktop_notifier import Urgency

    assert notifier is not None  # just connected
    dispatched: list[bool] = []
    await notifier.send(
        notification.title,
        notification.body,
        urgency=Urgency.Critical if notification.urgent else Urgency.Normal,
        on_dispatched=lambda: dispatched.append(True),
    )
    return bool(dispatched)
