"""The worker's line to its supervisor."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable

import attrs

from .wire import MAX_FRAME, Frame, decode, encode


@attrs.define(eq=False)
class Channel:
    """Send frames to the supervisor and receive its own; ``send`` may be called in any thread."""

    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter
    _loop: asyncio.AbstractEventLoop
    _thread: int = attrs.field(init=False, factory=threading.get_ident)

    @classmethod
    async def open(cls, sock: socket.socket) -> Channel:
        """Take over this end of the socket pair."""
        reader, writer = await asyncio.open_connection(sock=sock, limit=MAX_FRAME)
        return cls(reader, writer, asyncio.get_running_loop())

    def send(self, frame: Frame) -> None:
        """Send a frame; one that the supervisor does not live to read is dropped."""
        self._send(encode(frame))

    async def send_encoded(self, data: bytes) -> None:
        """Send an encoded frame and wait while the supervisor has too much to read."""
        self._writer.write(data)
        await self._writer.drain()

    async def flush(self) -> None:
        """Wait until the supervisor has been given everything, or is gone."""
        try:
            self._writer.transport.set_write_buffer_limits(high=0)
            await self._writer.drain()
        except ConnectionError:
            return

    async def listen(self, on_frame: Callable[[Frame], None]) -> None:
        """Hand over each frame that arrives; return when the supervisor is gone."""
        try:
            # What does not end in a newline is the beginning of a frame whose sender died.
            while (line := await self._reader.readline()).endswith(b"\n"):
                on_frame(decode(line))
        except ConnectionError:
            return

    def _send(self, data: bytes) -> None:
        if threading.get_ident() == self._thread:
            self._writer.write(data)
        else:
            self._loop.call_soon_threadsafe(self._writer.write, data)
