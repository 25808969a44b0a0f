"""Long reads: on a separate connection, so that short reads do not wait, and with a time limit."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from typing import Any

import attrs

from ..errors import DatabaseError, ReadTimeoutError
from .connection import TrackedConnection
from .connection_thread import ConnectionThread
from .execution import in_snapshot

INSTRUCTIONS_BETWEEN_LOOKS = 10_000
"""Instructions of SQLite's virtual machine between two checks of the time limit: well below a millisecond."""


@attrs.define(eq=False)
class LongReads:
    """Run long reads one after another on a connection that is opened for the first one."""

    _open: Callable[[], Awaitable[ConnectionThread]]
    _connection_thread: ConnectionThread | None = None
    _opening: asyncio.Lock = attrs.Factory(asyncio.Lock)
    _running: set["LongRead"] = attrs.Factory(set["LongRead"])
    _closed: bool = False

    @property
    def busy(self) -> bool:
        """Tell whether a read is running or waiting."""
        return bool(self._running)

    async def read(self, function: Callable[..., Any], args: tuple[Any, ...], seconds: float) -> Any:
        """Run a function; a cancellation of the caller interrupts it.

        Raises ``ReadTimeoutError`` after ``seconds``.
        """
        connection_thread = await self._connected()
        work = LongRead(function, args, seconds)
        self._running.add(work)
        try:
            return await connection_thread.call(work.run, connection_thread.end)
        finally:
            work.give_up()
            self._running.discard(work)

    async def close(self) -> None:
        """Interrupt running reads and close the connection."""
        self._closed = True
        for work in self._running:
            work.give_up()
        async with self._opening:
            if self._connection_thread is not None:
                await self._connection_thread.close()

    async def _connected(self) -> ConnectionThread:
        async with self._opening:
            if self._connection_thread is None:
                connection_thread = await self._open()
                if self._closed:
                    await connection_thread.close()
                    raise connection_thread.end()
                self._connection_thread = connection_thread
            return self._connection_thread


@attrs.define(eq=False)
class LongRead:
    """One read, and whether its caller still waits for the result."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    seconds: float
    _given_up: bool = False

    def give_up(self) -> None:
        """Interrupt it, or prevent it if it has not begun."""
        self._given_up = True

    def wanted(self) -> bool:
        """Tell whether its caller still waits."""
        return not self._given_up

    def run(self, connection: TrackedConnection, end_of_database: Callable[[], DatabaseError]) -> Any:
        """Run on the connection's thread."""
        if not self.wanted():
            raise end_of_database()
        end = time.monotonic() + self.seconds
        connection.set_progress_handler(lambda: not self.wanted() or time.monotonic() > end, INSTRUCTIONS_BETWEEN_LOOKS)
        try:
            return in_snapshot(connection, self.function, self.args)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            raise (ReadTimeoutError(self.seconds) if self.wanted() else end_of_database()) from error
        finally:
            connection.set_progress_handler(None, 0)
