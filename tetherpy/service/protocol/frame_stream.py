"""Frames over an asyncio stream: the connection of an app to the supervisor, and the two of a worker."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator

import attrs

from ..errors import FrameError, ServiceNotRunningError
from .frames import MAX_FRAME, Frame, decode
from .platform_support import WORKER_PROCESSES
from .service_files import ServiceFiles

_NO_SERVICE = frozenset({errno.ENOENT, errno.ECONNREFUSED, errno.ENOTSOCK, errno.ENOTDIR})


@attrs.define(eq=False)
class FrameStream:
    """Send and receive frames over one stream socket."""

    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter

    @classmethod
    async def connect(cls, files: ServiceFiles) -> FrameStream:
        """Connect to the supervisor of a database; raises ``ServiceNotRunningError`` if none listens.

        Raises ``OSError`` for errors unrelated to the service, such as no free descriptors.
        """
        if not WORKER_PROCESSES:
            raise ServiceNotRunningError(files.name)
        try:
            with files.socket_address() as address:
                return cls(*await asyncio.open_unix_connection(address, limit=MAX_FRAME))
        except OSError as error:
            if error.errno in _NO_SERVICE:
                raise ServiceNotRunningError(files.name) from error
            raise

    @classmethod
    async def over(cls, sock: socket.socket) -> FrameStream:
        """Take over one end of a socket pair."""
        return cls(*await asyncio.open_connection(sock=sock, limit=MAX_FRAME))

    def write(self, data: bytes) -> None:
        """Send an encoded frame without waiting."""
        self._writer.write(data)

    async def send(self, data: bytes) -> None:
        """Send an encoded frame; wait while the other side has too much unread data.

        Raises ``ConnectionError`` if the connection is closed.
        """
        self._writer.write(data)
        await self._writer.drain()

    async def frames(self) -> AsyncIterator[Frame]:
        """Yield frames until the connection is closed; raises ``FrameError`` for a line that is not a frame."""
        try:
            # A line without a newline is the beginning of a frame whose sender died.
            while (line := await self._line()).endswith(b"\n"):
                yield decode(line)
        except ConnectionError:
            return

    async def flush(self) -> None:
        """Wait until all data is passed to the system, or the connection is closed."""
        try:
            self._writer.transport.set_write_buffer_limits(high=0)
            await self._writer.drain()
        except ConnectionError:
            return

    async def finish(self, seconds: float) -> bool:
        """Close after the other side has read everything: it then closes its end too.

        Return False if that takes longer than ``seconds``.
        """
        try:
            async with asyncio.timeout(seconds):
                self._writer.write_eof()
                while await self._reader.read(1 << 16):
                    pass
        except TimeoutError:
            return False
        except OSError:
            return True
        finally:
            self.abort()
        return True

    def abort(self) -> None:
        """Close at once."""
        self._writer.transport.abort()

    async def _line(self) -> bytes:
        try:
            return await self._reader.readline()
        except ValueError as error:
            raise FrameError(f"a line is longer than {MAX_FRAME:,} bytes") from error
