"""The destination of the frames of a worker without a supervisor: an app or a test in the same process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import attrs

from ..protocol import frames


@attrs.define(eq=False)
class LocalOutbox:
    """Call ``on_frame`` in the loop with each frame; ``send`` may be called in any thread."""

    on_frame: Callable[[frames.Frame], None]
    _loop: asyncio.AbstractEventLoop = attrs.field(init=False, factory=asyncio.get_running_loop)
    _thread: int = attrs.field(init=False, factory=threading.get_ident)

    def send(self, frame: frames.Frame) -> None:
        """Pass a frame on: at once in the thread of the loop, else soon."""
        if threading.get_ident() == self._thread:
            self.on_frame(frame)
        else:
            self._loop.call_soon_threadsafe(self.on_frame, frame)

    async def send_event(self, data: bytes) -> None:
        """Pass on the message in an encoded frame."""
        self.on_frame(frames.decode(data))
