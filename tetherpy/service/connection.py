"""The app's line to the supervisor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import attrs

from .errors import ServiceNotRunningError
from .files import ServiceFiles
from .wire import MAX_FRAME, Frame, decode


@attrs.define(eq=False)
class Connection:
    """Exchange frames with the supervisor of one database."""

    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, files: ServiceFiles) -> Connection:
        """Connect; ``ServiceNotRunningError`` if nobody listens."""
        try:
            with files.socket_address() as address:
                reader, writer = await asyncio.open_unix_connection(address, limit=MAX_FRAME)
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise ServiceNotRunningError(files.name) from error
        return cls(reader, writer)

    async def send(self, data: bytes) -> None:
        """Send an encoded frame; ``ConnectionError`` if the supervisor is gone."""
        self._writer.write(data)
        await self._writer.drain()

    async def frames(self) -> AsyncIterator[Frame]:
        """Yield what the supervisor says until it is gone."""
        try:
            while (line := await self._reader.readline()).endswith(b"\n"):
                yield decode(line)
        except ConnectionError:
            return

    async def finish(self) -> None:
        """Close when the supervisor has read everything: it answers the end with its own."""
        try:
            self._writer.write_eof()
            while await self._reader.read(1 << 16):
                pass
        except OSError:
            return
        finally:
            self.abort()

    def abort(self) -> None:
        """Close at once."""
        self._writer.transport.abort()
