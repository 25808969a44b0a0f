"""The connection pool: a bounded number of connections, reused, and replaced when they are dead."""

from __future__ import annotations

import asyncio
import math
import os
import select
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import psycopg
from psycopg.pq import TransactionStatus

from tetherpy.event_wait import wait_for_event

from ..errors import DatabaseClosedError, DatabaseForkedError, DatabaseUnavailableError
from .connection import AGAIN_SECONDS, Connection, connect, is_full, passes
from .connection_probe import ConnectionProbe

GET_SECONDS = 10.0
"""How long a call waits while all connections are in use, in this process or at the server."""
RECONNECT_SECONDS = 5.0
"""How long a call that needs a new connection waits for a server that is starting."""
LAST_AGAIN_SECONDS = 1.0
"""The longest pause between attempts to connect to a full server."""
ASK_IDLE_SECONDS = 5.0
"""A connection that was idle for longer is tested before it is lent."""
SPARE_IDLE_SECONDS = 5.0
KEEP_IDLE_SECONDS = 20.0
"""A connection that was idle for longer is closed; all but the last used one already after ``SPARE_IDLE_SECONDS``.

A role may have few connections, and other processes need some.
"""
PROBE_SECONDS = 3.0
"""How often the server is queried for the state of calls that have waited for longer than this."""


@attrs.define(eq=False)
class Pool:
    """Lend up to ``size`` connections in autocommit mode.

    The pools of psycopg_pool wait a second or more between attempts to connect. Here each call that needs a new
    connection opens it, and fails at once if the server refuses it. The duration of a statement is not limited. A
    call over a dead connection fails after three times ``PROBE_SECONDS`` at most.
    """

    _settings: dict[str, Any] = attrs.field(repr=False)
    _name: str
    _size: int
    _connect: Callable[[dict[str, Any]], Awaitable[Connection]] = attrs.field(default=connect, repr=False)
    _siblings: list[Pool] = attrs.field(init=False, factory=list["Pool"], repr=False)
    _idle: list[tuple[float, Connection]] = attrs.field(init=False, factory=list["tuple[float, Connection]"])
    _lent: set[Connection] = attrs.field(init=False, factory=set[Connection])
    _in_line: int = attrs.field(init=False, default=0)
    """Calls that wait for a returned connection; a later call does not overtake them."""
    _reserved: int = attrs.field(init=False, default=0)
    _places: asyncio.Semaphore = attrs.field(
        init=False, default=attrs.Factory(lambda self: asyncio.Semaphore(self._size), takes_self=True)
    )
    _returned: asyncio.Event = attrs.field(init=False, factory=asyncio.Event)
    _probe: ConnectionProbe = attrs.field(
        init=False, default=attrs.Factory(lambda self: ConnectionProbe(self._settings, self._name), takes_self=True)
    )
    _timer: asyncio.TimerHandle | None = attrs.field(init=False, default=None)
    _maintenance: asyncio.Task[None] | None = attrs.field(init=False, default=None)
    _closed: bool = attrs.field(init=False, default=False)
    _pid: int = attrs.field(init=False, factory=os.getpid)

    @property
    def is_inherited(self) -> bool:
        """Tell whether a parent of this process opened the connections."""
        return self._pid != os.getpid()

    @property
    def last_used(self) -> float:
        """Return when the newest idle connection was returned, in the loop's time; -inf if none is idle."""
        return self._idle[-1][0] if self._idle else -math.inf

    def share_with(self, other: Pool) -> None:
        """Let each pool close idle connections of the other one when the server is full."""
        self._siblings.append(other)
        other._siblings.append(self)

    @asynccontextmanager
    async def connection(self, connect_timeout: float | None = None) -> AsyncGenerator[Connection]:
        """Lend a connection; one that is returned broken or in a transaction is closed.

        ``connect_timeout`` is how long to wait for a server that is starting, ``RECONNECT_SECONDS`` by default. Raises
        ``DatabaseUnavailableError`` if no connection is free in time or a new one fails, ``DatabaseClosedError``
        after the close, ``DatabaseForkedError`` in a child of the process that opened the pool.
        """
        if self.is_inherited:
            raise DatabaseForkedError(self._name)
        try:
            async with asyncio.timeout(GET_SECONDS):
                await self._places.acquire()
        except TimeoutError as error:
            reason = f"all {self._size} connections of this process were in use for {GET_SECONDS:g} s"
            raise DatabaseUnavailableError(self._name, reason) from error
        try:
            connection = await self._take(RECONNECT_SECONDS if connect_timeout is None else connect_timeout)
            self._lent.add(connection)
            self._maintain_later()
            try:
                yield connection
            finally:
                self._lent.discard(connection)
                await self._return(connection)
        finally:
            self._places.release()

    async def close(self) -> None:
        """Close the idle connections now and the lent ones when they are returned."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._maintenance is not None:
            self._maintenance.cancel()
            await asyncio.wait([self._maintenance])
        await self._close_idle()
        self._wake()

    def reserve(self, connections: int) -> None:
        """Keep so many idle connections open, also if another pool of this process needs them at a full server."""
        self._reserved = connections

    async def make_room(self, *, reserved_too: bool = False) -> bool:
        """Close idle connections of this pool and of the pools it shares with; tell whether there were any.

        A full server can accept a new connection then.
        """
        pools = (self, *self._siblings)
        closed = [await pool._close_idle(keep=0 if reserved_too else pool._reserved) for pool in pools]
        return any(closed)

    async def _take(self, connect_timeout: float) -> Connection:
        loop = asyncio.get_running_loop()
        began = again = loop.time()
        pause, ahead = AGAIN_SECONDS, self._in_line
        while True:
            if self._closed:
                raise DatabaseClosedError(self._name)
            returned = self._returned
            if len(self._idle) > ahead and (connection := await self._take_idle()) is not None:
                return connection
            ahead = 0
            if loop.time() >= again:
                try:
                    return await self._connect(self._settings)
                except psycopg.OperationalError as error:
                    limit = GET_SECONDS if is_full(error) else connect_timeout
                    if loop.time() >= began + limit or not passes(error):
                        raise DatabaseUnavailableError(self._name, str(error)) from error
                    if is_full(error):
                        if await self.make_room(reserved_too=not self._lent):
                            continue
                        pause = min(pause * 2, LAST_AGAIN_SECONDS)
                again = loop.time() + pause
            self._in_line += 1
            try:
                await wait_for_event(returned, again - loop.time())
            finally:
                self._in_line -= 1
            if any(pool._idle for pool in self._siblings):
                again = loop.time()

    async def _take_idle(self) -> Connection | None:
        while self._idle:
            since, connection = self._idle.pop()
            try:
                if _is_quiet(connection):
                    if asyncio.get_running_loop().time() - since < ASK_IDLE_SECONDS:
                        return connection
                    if await _answers(connection):
                        return connection
                    # The other connections have been idle for longer.
                    await self._close_idle()
            except BaseException:
                await connection.close()
                raise
            await connection.close()
        return None

    async def _return(self, connection: Connection) -> None:
        if self.is_inherited:
            return  # closing it would end the session of the parent
        is_idle = not connection.closed and connection.info.transaction_status is TransactionStatus.IDLE
        if is_idle and not self._closed:
            self._idle.append((asyncio.get_running_loop().time(), connection))
        else:
            await connection.close()
        self._wake()

    def _wake(self) -> None:
        for pool in (self, *self._siblings):
            pool._returned.set()
            pool._returned = asyncio.Event()

    async def _close_idle(self, until: float = math.inf, keep: int = 0) -> int:
        oldest = self._idle[: max(0, len(self._idle) - keep)]
        closing = [connection for since, connection in oldest if since <= until]
        self._idle = self._idle[len(closing) :]
        for connection in closing:
            await connection.close()
        return len(closing)

    def _maintain_later(self) -> None:
        if self._timer is None and not self._closed:
            self._timer = asyncio.get_running_loop().call_later(PROBE_SECONDS, self._maintain_now)

    def _maintain_now(self) -> None:
        self._timer = None
        if self._maintenance is None or self._maintenance.done():
            self._maintenance = asyncio.get_running_loop().create_task(self._maintain())
        if self._lent or self._idle:
            self._maintain_later()

    async def _maintain(self) -> None:
        now = asyncio.get_running_loop().time()
        last = max((since for pool in (self, *self._siblings) for since, _ in pool._idle), default=now)
        until = max(now - KEEP_IDLE_SECONDS, min(now - SPARE_IDLE_SECONDS, math.nextafter(last, 0.0)))
        await self._close_idle(until, self._reserved)
        await self._probe.probe(self._lent, now - PROBE_SECONDS)


async def _answers(connection: Connection) -> bool:
    try:
        with connection.answering():
            await connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def _is_quiet(connection: Connection) -> bool:
    """Tell without a round trip whether an idle connection is open: if it has data to read, the server closed it."""
    if connection.closed:
        return False
    # select() does not support descriptors above 1023.
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    return not poller.poll(0)
