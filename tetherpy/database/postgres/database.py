"""A PostgreSQL database as an app sees it."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import attrs

from tetherpy.durations import to_seconds

from ..addresses import redacted
from ..errors import DatabaseArgumentError, DatabaseLockedError, RowNotFoundError, TransactionHeldError
from ..migrations import Migration
from ..opening import Opening
from ..sqlite.connection import Parameters
from . import migrations as migrating
from .announcer import Announcer
from .connection import Connection, settings_of, with_lock_timeout
from .error_translation import explained
from .listener import Listener
from .pool import Pool
from .rows import PostgresRow
from .transaction import Holders, PostgresExecuted, PostgresTransaction, execute, execute_many, fetch_first

logger = logging.getLogger("tetherpy.database")

OWN_CONNECTIONS = 2
OWN_LOCK_SECONDS = 2.0
"""After this wait for a lock a statement of the library's own lets others have its connection, and tries again.

Longer than the second after which the server looks for a deadlock.
"""


@attrs.define(eq=False)
class PostgresDatabase:
    """A database on a PostgreSQL server, with the calls that ``Database`` has for an SQLite file.

    Statements are written with ``?`` or ``:name`` for values and commit when they return. The app has up to
    ``pool_size`` connections, for what it changes of jobs as well; what tetherpy itself asks goes over two
    more, so that transactions which wait for each other never keep a worker from its heartbeat; and one listens.
    """

    address: str = attrs.field(repr=redacted)
    _settings: dict[str, Any] = attrs.field(repr=False)
    _pool: Pool = attrs.field(repr=False)
    _own: Pool = attrs.field(repr=False)
    listener: Listener = attrs.field(repr=False)
    _announcer: Announcer = attrs.field(
        init=False,
        default=attrs.Factory(lambda self: Announcer(self.name, (self._own, self._pool)), takes_self=True),
    )
    _holders: Holders = attrs.field(init=False, factory=Holders)
    _closed: bool = attrs.field(init=False, default=False)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        migrations: Iterable[Migration] = (),
        pool_size: int = 10,
        connect_timeout: timedelta | float = 5.0,
    ) -> Opening[PostgresDatabase]:
        """Connect and apply what migrations are missing: ``async with PostgresDatabase.open(url)``.

        A server that is just starting is waited for, ``connect_timeout`` seconds at most. Where the server, or what it
        allows the role, has fewer connections than ``pool_size``, calls wait for those that there are. Raises
        ``DatabaseAddressError`` for what is no PostgreSQL URL, ``DatabaseUnavailableError`` if the server
        cannot be reached or refuses, ``MigrationError`` as ``Database.open`` does.
        """
        if pool_size < 1:
            raise DatabaseArgumentError("pool_size", pool_size, "a database needs at least 1 connection")
        steps = tuple(migrations)
        seconds = to_seconds("connect_timeout", connect_timeout)
        return Opening(lambda: cls._open(url, steps, pool_size, seconds))

    @classmethod
    async def _open(
        cls, url: str, steps: tuple[Migration, ...], pool_size: int, connect_timeout: float
    ) -> PostgresDatabase:
        name = redacted(url)
        settings = settings_of(url, name)
        pool = Pool(settings, name, pool_size)
        own = Pool(with_lock_timeout(settings, OWN_LOCK_SECONDS), name, OWN_CONNECTIONS)
        pool.share_with(own)
        async with AsyncExitStack() as stack:
            database = cls(url, settings, pool, own, Listener(settings, name, pool.make_room))
            stack.push_async_callback(database.aclose)
            async with pool.connection(connect_timeout):
                pass  # the server is there, and gives one
            if steps:
                await database.migrate(steps)
            stack.pop_all()
        return database

    def __del__(self) -> None:
        if not self._closed:
            warnings.warn(f"{self.name} was not closed", ResourceWarning, stacklevel=1, source=self)

    @property
    def name(self) -> str:
        """Return the address without its password."""
        return redacted(self.address)

    async def aclose(self) -> None:
        """End the streams and close the connections, those in use when they come back.

        In a process that was forked while it was open this does nothing: the connections are the parent's.
        """
        if self._closed or self._pool.is_inherited:
            return
        self._closed = True
        await self.listener.close()
        await self._announcer.close()
        await self._own.close()
        await self._pool.close()

    async def migrate(self, steps: Iterable[Migration]) -> None:
        """Apply those migrations that the database does not have yet, all in one transaction.

        Any number of processes may do this at the same time. Raises as ``Database.migrate`` does, and as
        ``change_schema``.
        """
        given = tuple(steps)
        self.check_free("migrate")
        await self.change_schema(lambda tx: migrating.migrate(tx.connection, given))

    async def change_schema(self, work: Callable[[PostgresTransaction], Awaitable[None]]) -> None:
        """Do work in a transaction while no other process changes the schema.

        Its statements wait only a moment for locks, because statements of others queue up behind them. Where a
        lock is not free the transaction is undone and the work done again. Raises ``DatabaseLockedError`` after
        a minute of that.
        """
        clock = asyncio.get_running_loop().time
        deadline, waiting = clock() + migrating.SCHEMA_TIMEOUT_SECONDS, False
        while True:
            try:
                with self.explained():
                    async with self.transaction() as tx, migrating.changing(tx.connection):
                        await work(tx)
            except (*migrating.LOCKED, DatabaseLockedError) as error:
                if clock() >= deadline:
                    raise DatabaseLockedError(self.name, migrating.SCHEMA_TIMEOUT_SECONDS) from error
                if not waiting:
                    logger.warning("%s: the schema cannot be changed yet (%s); trying again", self.name, error)
                waiting = True
            else:
                return
            await asyncio.sleep(migrating.PAUSE_SECONDS)

    async def execute(self, sql: str, parameters: Parameters = ()) -> PostgresExecuted:
        """Execute one statement in a transaction; committed when this returns."""
        async with self.free_connection("execute") as connection:
            return await execute(connection, sql, parameters)

    async def execute_many(self, sql: str, parameters: Iterable[Parameters]) -> int:
        """Execute a statement for each set of parameters in one transaction; return how many rows changed."""
        async with self.free_connection("execute_many") as connection, connection.transaction():
            return await execute_many(connection, sql, parameters)

    async def get(self, sql: str, parameters: Parameters = ()) -> PostgresRow:
        """Return the first row; raises ``RowNotFoundError`` if there is none."""
        row = await self.get_optional(sql, parameters)
        if row is None:
            raise RowNotFoundError(sql)
        return row

    async def get_optional(self, sql: str, parameters: Parameters = ()) -> PostgresRow | None:
        """Return the first row, or None."""
        with self.explained():
            async with self._pool.connection() as connection:
                return await fetch_first(connection, sql, parameters)

    async def get_all(self, sql: str, parameters: Parameters = ()) -> list[PostgresRow]:
        """Return all rows."""
        with self.explained():
            async with self._pool.connection() as connection:
                return (await execute(connection, sql, parameters)).rows

    def announce(self, channel: str) -> None:
        """Notify a channel of what this process has committed, soon and once for all that comes meanwhile.

        For changes that the library makes: their own transactions do not notify (see ``Announcer``).
        """
        self._announcer.announce(channel)

    def transaction(self) -> PostgresTransaction:
        """Return a transaction to enter: ``async with db.transaction() as tx``.

        In a task that already holds one it is nested: a savepoint, undone alone and committed with the outer
        one. Reads on the database itself do not see what the transaction has not committed.
        """
        held = self._holders.of_this_task()
        if held is not None:
            return held.transaction()
        return PostgresTransaction(
            self.name, self._pool.connection, self._holders.enter, self._holders.leave, self.announce
        )

    @asynccontextmanager
    async def own_connection(self) -> AsyncGenerator[Connection]:
        """Borrow a connection that is kept for the library's own statements; each commits by itself.

        A statement that waits for a lock for ``OWN_LOCK_SECONDS`` is undone: ``psycopg.errors.LockNotAvailable``.
        """
        with self.explained():
            async with self._own.connection() as connection:
                yield connection

    @asynccontextmanager
    async def free_connection(self, call: str) -> AsyncGenerator[Connection]:
        """Borrow one of the app's connections for what commits by itself.

        Raises ``TransactionHeldError``, naming the call, in a task that has a transaction open.
        """
        self.check_free(call)
        with self.explained():
            async with self._pool.connection() as connection:
                yield connection

    def explained(self) -> AbstractContextManager[None]:
        """Return a block that raises the database's own errors for problems of server, role and connection."""
        return explained(self.name)

    def check_free(self, call: str) -> None:
        """Raise ``TransactionHeldError``, naming the call, in a task that has a transaction open."""
        if self._holders.of_this_task() is not None:
            raise TransactionHeldError(call)
