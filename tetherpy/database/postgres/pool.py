"""A bounded number of connections that are used again, and noticed when they are dead without asking the server."""

from __future__ import annotations

import asyncio
import select
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import attrs
from psycopg.pq import TransactionStatus

from ..errors import DatabaseClosedError, DatabaseUnavailableError
from .connecting import Connection, connect_patiently

GET_SECONDS = 10.0
"""How long a call waits while all connections are in use."""
RECONNECT_SECONDS = 5.0
"""How long a call that needs a new connection waits for a server that is just starting."""


@attrs.define(eq=False)
class Pool:
    """Lend up to ``size`` connections that commit each statement.

    The pools of psycopg_pool wait a second and more between attempts to connect and keep tasks running; here
    whoever needs a connection makes it, and hears at once that there is none.
    """

    _settings: dict[str, Any] = attrs.field(repr=False)
    _name: str
    _size: int
    _idle: list[Connection] = attrs.field(init=False, factory=list[Connection])
    _places: asyncio.Semaphore = attrs.field(
        init=False, default=attrs.Factory(lambda self: asyncio.Semaphore(self._size), takes_self=True)
    )
    _closed: bool = attrs.field(init=False, default=False)

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        """Lend a connection; one that comes back with a transaction open, or broken, is closed.

        Raises ``DatabaseUnavailableError`` if none is free in time or can be made, ``DatabaseClosedError``
        after the close.
        """
        try:
            async with asyncio.timeout(GET_SECONDS):
                await self._places.acquire()
        except TimeoutError as error:
            reason = f"all {self._size} connections of this process were in use for {GET_SECONDS:g} s"
            raise DatabaseUnavailableError(self._name, reason) from error
        try:
            connection = await self._take()
            try:
                yield connection
            finally:
                await self._give_back(connection)
        finally:
            self._places.release()

    async def close(self) -> None:
        """Close what is idle now, and what is lent when it comes back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close()

    async def _take(self) -> Connection:
        if self._closed:
            raise DatabaseClosedError(self._name)
        while self._idle:
            connection = self._idle.pop()
            if _is_alive(connection):
                return connection
            await connection.close()
        return await connect_patiently(self._settings, self._name, RECONNECT_SECONDS)

    async def _give_back(self, connection: Connection) -> None:
        is_idle = not connection.closed and connection.info.transaction_status is TransactionStatus.IDLE
        if is_idle and not self._closed:
            self._idle.append(connection)
        else:
            await connection.close()


def _is_alive(connection: Connection) -> bool:
    """Tell, without a round trip, whether an idle connection has nothing to read: else the server ended it."""
    if connection.closed:
        return False
    # select() takes no descriptor from 1024 on.
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    return not poller.poll(0)
