"""The worker's two sockets to its supervisor."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable

import attrs

from ..protocol.frame_stream import FrameStream
from ..protocol.frames import Event, Frame, encode
from ..protocol.wait_bounds import FINISH_SECONDS


@attrs.define(eq=False)
class SupervisorPipe:
    """Send frames to the supervisor and receive frames from it; ``send`` may be called in any thread."""

    _control: FrameStream
    _events: FrameStream
    _loop: asyncio.AbstractEventLoop = attrs.field(init=False, factory=asyncio.get_running_loop)
    _thread: int = attrs.field(init=False, factory=threading.get_ident)

    @classmethod
    async def open(cls, control: socket.socket, events: socket.socket) -> SupervisorPipe:
        """Take over this worker's ends of the two socket pairs."""
        return cls(await FrameStream.over(control), await FrameStream.over(events))

    def send(self, frame: Frame) -> None:
        """Send a frame; it is lost if the supervisor ends before it reads it."""
        line = self._events if isinstance(frame, Event) else self._control
        data = encode(frame)
        if threading.get_ident() == self._thread:
            line.write(data)
        else:
            self._loop.call_soon_threadsafe(line.write, data)

    async def send_event(self, data: bytes) -> None:
        """Send an encoded event; wait while the supervisor has too many unsent ones."""
        await self._events.send(data)

    async def flush(self) -> None:
        """Wait until all frames are sent, or the supervisor has ended or is suspended."""
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                await self._control.flush()
                await self._events.flush()
        except TimeoutError:
            return

    async def listen(self, on_frame: Callable[[Frame], None]) -> None:
        """Call ``on_frame`` for each received frame; return when the supervisor has ended.

        Raises ``FrameError`` for a line that is not a frame.
        """
        listening = [asyncio.ensure_future(_listen(line, on_frame)) for line in (self._control, self._events)]
        try:
            done, _ = await asyncio.wait(listening, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in listening:
                task.cancel()


async def _listen(line: FrameStream, on_frame: Callable[[Frame], None]) -> None:
    async for frame in line.frames():
        on_frame(frame)
