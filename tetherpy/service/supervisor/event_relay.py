"""The relay of events through the supervisor, with backpressure."""

from __future__ import annotations

from collections.abc import Callable, Collection

import attrs

from ..protocol.wait_bounds import STALLED_SECONDS
from .frame_socket import LOW_WATER, FrameSocket
from .selector_loop import SelectorLoop

HIGH_WATER = 1 << 20
"""Unsent bytes of one receiver beyond which the senders must wait."""


@attrs.define(eq=False)
class EventRelay:
    """Send each event to all receivers, and stop reading from senders while one receiver is far behind.

    ``drop`` closes a receiver that has read nothing for ``STALLED_SECONDS`` while senders wait for it. Without
    ``drop`` the senders wait without a bound.
    """

    selector_loop: SelectorLoop
    receivers: Callable[[], Collection[FrameSocket]]
    drop: Callable[[FrameSocket], None] | None = None
    _waiting: set[FrameSocket] = attrs.field(init=False, factory=set[FrameSocket])
    _watched: bool = attrs.field(init=False, default=False)
    """Whether a check for stalled receivers is scheduled: one at a time, however often senders pause and resume."""

    def pass_on(self, sender: FrameSocket, data: bytes) -> None:
        """Send an encoded event to every receiver."""
        for receiver in tuple(self.receivers()):
            receiver.send(data)
        if any(receiver.unsent > HIGH_WATER for receiver in self.receivers()):
            self._hold(sender)

    def on_room(self, _: FrameSocket) -> None:
        """Resume the senders if no receiver is far behind; call it when one has read data or is closed."""
        if self._waiting and all(receiver.unsent < LOW_WATER for receiver in self.receivers()):
            waiting, self._waiting = self._waiting, set()
            for sender in waiting:
                sender.resume()

    def _hold(self, sender: FrameSocket) -> None:
        sender.pause()
        self._waiting.add(sender)
        if self.drop is not None and not self._watched:
            self._look_later(STALLED_SECONDS)

    def _look_later(self, seconds: float) -> None:
        self._watched = True
        self.selector_loop.call_later(seconds, self._drop_stalled)

    def _drop_stalled(self) -> None:
        self._watched = False
        if not self._waiting or self.drop is None:
            return
        before = self.selector_loop.now() - STALLED_SECONDS
        for receiver in tuple(self.receivers()):
            if receiver.unsent >= LOW_WATER and receiver.last_taken <= before:
                self.drop(receiver)
        if self._waiting:
            self._look_later(STALLED_SECONDS / 4)
