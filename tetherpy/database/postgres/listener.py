"""The listener for notifications: one connection per open database, which reconnects when it is lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import psycopg
from psycopg import sql

from tetherpy.subscribers import Subscribers, call_subscriber, do_nothing

from ..errors import DatabaseClosedError
from .connection import Connection, connect_internal, is_full

logger = logging.getLogger("tetherpy.database")

ASK_SECONDS = 5.0
"""How often the server is queried over the listening connection: a dead connection looks like an idle one.

The result also shows changes whose notification was never sent.
"""
FIRST_RETRY_SECONDS = 0.05
LAST_RETRY_SECONDS = 2.0


@attrs.frozen(eq=False)
class Subscriber:
    """The callbacks of one subscriber: for notifications of a channel, and for the close."""

    channel: str
    notified: Callable[[], None]
    closed: Callable[[], None]


@attrs.define(eq=False)
class Listener:
    """Listen on channels from the first subscriber until the database is closed.

    Notifications may be missed before listening begins and while the connection is lost. So every subscriber is
    notified once each time listening begins. A process may end between its commit and its notification. So every
    ``ASK_SECONDS`` a query checks for commits.
    """

    _settings: dict[str, Any] = attrs.field(repr=False)
    _name: str
    _make_room: Callable[[], Awaitable[bool]] = attrs.field(repr=False)
    _subscribers: Subscribers[Subscriber] = attrs.field(init=False, factory=Subscribers[Subscriber])
    _channels: dict[str, bytes | None] = attrs.field(init=False, factory=dict[str, "bytes | None"])
    _seen: dict[str, object] = attrs.field(init=False, factory=dict[str, object])
    _task: asyncio.Task[None] | None = attrs.field(init=False, default=None)
    _closed: bool = attrs.field(init=False, default=False)

    def add(
        self,
        channel: str,
        notified: Callable[[], None],
        closed: Callable[[], None] = do_nothing,
        newest: bytes | None = None,
    ) -> Callable[[], None]:
        """Call ``notified()`` in the loop after notifications of the channel; return the function that stops it.

        ``newest`` is a query whose first row changes with each commit that the channel announces.
        Raises ``DatabaseClosedError`` after the close.
        """
        if self._closed:
            raise DatabaseClosedError(self._name)
        remove = self._subscribers.add(Subscriber(channel, notified, closed))
        if channel not in self._channels:
            self._channels[channel] = newest
            self._begin_again()
        elif newest is not None:
            self._channels[channel] = newest
        return remove

    async def close(self) -> None:
        """Stop listening and call ``closed`` of every subscriber."""
        self._closed = True
        for subscriber in self._subscribers.take_all():
            call_subscriber("notifications", subscriber.closed)
        await self._stop()

    async def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def _begin_again(self) -> None:
        before = self._task
        self._task = asyncio.get_running_loop().create_task(self._run_after(before))

    async def _run_after(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            before.cancel()
            await asyncio.wait([before])
        delay = FIRST_RETRY_SECONDS
        while True:
            try:
                async with await connect_internal(_named(self._settings)) as connection:
                    await self._listen(connection)
                    delay = FIRST_RETRY_SECONDS
                    self._tell(None)
                    while True:
                        async for notification in connection.notifies(timeout=ASK_SECONDS):
                            self._tell(notification.channel)
                        for channel in await self._listen(connection):
                            self._tell(channel)
            except psycopg.Error as error:
                logger.warning("%s: listening was interrupted (%s); trying again in %g s", self._name, error, delay)
                if isinstance(error, psycopg.OperationalError) and is_full(error):
                    await self._make_room()
            except Exception:
                # Such as no free descriptor or thread, or a bug: streams and workers need notifications, so try again.
                logger.exception("%s: listening failed; trying again in %g s", self._name, delay)
            await asyncio.sleep(delay)
            delay = min(delay * 2, LAST_RETRY_SECONDS)

    async def _listen(self, connection: Connection) -> list[str]:
        """Listen; return the channels with commits since the last call."""
        changed: list[str] = []
        with connection.answering():
            for channel, newest in tuple(self._channels.items()):
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                seen = None if newest is None else await _first_row(connection, newest)
                if seen != self._seen.get(channel):
                    self._seen[channel] = seen
                    changed.append(channel)
        return changed

    def _tell(self, channel: str | None) -> None:
        for subscriber in self._subscribers:
            if channel is None or subscriber.channel == channel:
                call_subscriber("notifications", subscriber.notified)


def _named(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with a name that shows in ``pg_stat_activity`` which connection listens."""
    return {**settings, "application_name": f"{settings.get('application_name', 'tetherpy')} listener"}


async def _first_row(connection: Connection, statement: bytes) -> object:
    try:
        return await (await connection.execute(statement)).fetchone()
    except psycopg.errors.UndefinedTable:
        return None  # without the table there are no commits
