"""Send notifications after commits: one statement at a time, for all commits since the last one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import attrs
import psycopg

from ..errors import DatabaseError
from .pool import Pool

logger = logging.getLogger("tetherpy.database")

CLOSE_SECONDS = 3.0
"""How long a close waits for the last notification."""
LOCK_SECONDS = 0.5
"""How long a notification waits for the commit of another one before it releases its connection and tries again."""
_NOTIFY = b"SELECT set_config('lock_timeout', %s, true), pg_notify(channel, '') FROM unnest(%s::text[]) AS channel"


@attrs.define(eq=False)
class Announcer:
    """Notify channels of commits of this process.

    PostgreSQL lets one transaction that notifies commit at a time, and the next one waits until it is on disk. A
    transaction that only notifies writes nothing to the disk. So a transaction that changes rows does not notify,
    and this sends the notification after its commit. The process may end between the two, so listeners must also
    compare the newest change at intervals.
    """

    _name: str
    _pools: Sequence[Pool] = attrs.field(repr=False)
    _owed: set[str] = attrs.field(init=False, factory=set[str])
    _task: asyncio.Task[None] | None = attrs.field(init=False, default=None)

    def announce(self, channel: str) -> None:
        """Notify the channel soon."""
        self._owed.add(channel)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._notify())

    async def close(self) -> None:
        """Wait until all notifications are sent, for ``CLOSE_SECONDS`` at most."""
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task], timeout=CLOSE_SECONDS)
            self._task.cancel()

    async def _notify(self) -> None:
        while self._owed:
            channels, self._owed = self._owed, set()
            # The connection that was used last needs no check, and is usually the one that committed.
            pool = max(self._pools, key=lambda pool: pool.last_used)
            try:
                async with pool.connection() as connection:
                    await connection.execute(_NOTIFY, (f"{LOCK_SECONDS * 1000:.0f}ms", list(channels)))
            except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled):
                self._owed |= channels
            except (DatabaseError, psycopg.Error) as error:
                logger.warning(
                    "%s: other processes were not notified of a commit (%s); they find it at their next poll",
                    self._name,
                    error,
                )
