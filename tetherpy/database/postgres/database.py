"""``PostgresDatabase``: a database on a PostgreSQL server, with the methods of ``Database``."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import attrs
from psycopg.rows import tuple_row

from tetherpy.arguments import to_count
from tetherpy.durations import to_seconds

from ..addresses import redacted
from ..app_transactions.recognition import AppTransaction
from ..awaitable_context import Opening
from ..errors import DatabaseArgumentError, DatabaseLockedError, TransactionConflictError, TransactionHeldError
from ..migrations import Migration
from ..required_row import required
from ..sqlite.connection import Parameters
from . import migrations as migrating
from .announcer import Announcer
from .connection import Connection, connect_internal, settings_of, with_lock_timeout
from .error_translation import explained
from .joined_transaction import JoinedPostgres, Joining
from .listener import Listener
from .pool import Pool
from .rows import PostgresRow
from .transaction import Holders, PostgresExecuted, PostgresTransaction, execute, execute_many, fetch_first

logger = logging.getLogger("tetherpy.database")

OWN_CONNECTIONS = 2
OWN_LOCK_SECONDS = 2.0
"""After this wait for a lock, an internal statement releases its connection and tries again.

It is longer than the second after which the server checks for deadlocks.
"""


@attrs.define(eq=False)
class PostgresDatabase:
    """A database on a PostgreSQL server, with the methods of ``Database``.

    Statements take ``?`` or ``:name`` for values and are committed when they return. The app's calls, changes of
    jobs included, use a pool of up to ``pool_size`` connections. tetherpy's internal statements use two more, so that
    transactions which wait for each other never block a heartbeat. One more connection listens for notifications.
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
    _joining: Joining = attrs.field(
        init=False, default=attrs.Factory(lambda self: Joining(self.name, self._ask), takes_self=True)
    )

    @classmethod
    def open(
        cls,
        url: str,
        *,
        migrations: Iterable[Migration] = (),
        pool_size: int = 10,
        connect_timeout: timedelta | float = 5.0,
    ) -> Opening[PostgresDatabase]:
        """Connect and apply missing migrations: ``async with PostgresDatabase.open(url)``.

        Args:
            url: such as ``postgresql://user@host:5432/name``.
            migrations: the schema of the app. Each migration is applied once.
            pool_size: maximum number of connections for the app's calls. If the server or the limit of the role
                allows fewer, calls wait for a free one.
            connect_timeout: how long to wait for a server that is starting (``timedelta`` or seconds).

        Raises ``DatabaseAddressError`` if ``url`` is not a PostgreSQL URL, ``DatabaseUnavailableError`` if the server
        is unreachable or refuses, and ``MigrationError`` as ``Database.open`` does.
        """
        size = to_count(DatabaseArgumentError, "pool_size", pool_size)
        steps = tuple(migrations)
        seconds = to_seconds("connect_timeout", connect_timeout)
        return Opening(lambda: cls._open(url, steps, size, seconds))

    @classmethod
    async def _open(
        cls, url: str, steps: tuple[Migration, ...], pool_size: int, connect_timeout: float
    ) -> PostgresDatabase:
        name = redacted(url)
        settings = settings_of(url, name)
        pool = Pool(settings, name, pool_size)
        own = Pool(with_lock_timeout(settings, OWN_LOCK_SECONDS), name, OWN_CONNECTIONS, connect_internal)
        pool.share_with(own)
        async with AsyncExitStack() as stack:
            database = cls(url, settings, pool, own, Listener(settings, name, pool.make_room))
            stack.push_async_callback(database.aclose)
            async with pool.connection(connect_timeout):
                pass  # the server accepts a connection
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
        """End the streams and close the connections; those in use are closed when they are returned.

        In a forked child of the process that opened the database this does nothing: the connections are the parent's.
        """
        if self._closed or self._pool.is_inherited:
            return
        self._closed = True
        await self.listener.close()
        await self._announcer.close()
        await self._own.close()
        await self._pool.close()

    async def migrate(self, steps: Iterable[Migration]) -> None:
        """Apply the migrations that are not applied yet, all in one transaction.

        Several processes may do this at the same time. Raises the errors of ``Database.migrate`` and of
        ``change_schema``.
        """
        given = tuple(steps)
        self.check_free("migrate")
        await self.change_schema(lambda tx: migrating.migrate(tx.connection, given))

    async def change_schema(self, work: Callable[[PostgresTransaction], Awaitable[None]]) -> None:
        """Run ``work`` in a transaction while no other process changes the schema.

        Its statements wait for locks only briefly, because statements of other processes queue up behind them. If a
        lock is not free, the transaction is rolled back and the work is done again. Raises ``DatabaseLockedError``
        after a minute.
        """
        clock = asyncio.get_running_loop().time
        deadline, waiting = clock() + migrating.SCHEMA_TIMEOUT_SECONDS, False
        while True:
            try:
                with self.explained():
                    async with self.transaction() as tx, migrating.changing(tx.connection):
                        await work(tx)
            except (DatabaseLockedError, TransactionConflictError) as error:
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
        return required(await self.get_optional(sql, parameters), sql)

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
        """Notify a channel of the commits of this process; commits in quick succession share one notification.

        It is for changes that the library makes: their transactions do not notify (see ``Announcer``).
        """
        self._announcer.announce(channel)

    def transaction(self) -> PostgresTransaction:
        """Return a transaction to enter: ``async with db.transaction() as tx``.

        In a task that has one open, it is nested: a savepoint that is rolled back separately and committed with the
        outer one. Reads on the database do not see its uncommitted changes.
        """
        held = self._holders.of_this_task()
        if held is not None:
            return held.transaction()
        return PostgresTransaction(
            self.name, self._pool.connection, self._holders.enter, self._holders.leave, self.announce
        )

    def reserve_own_connection(self, reserved: bool) -> None:
        """Keep a connection for internal statements open, so that no heartbeat waits for one at a full server."""
        self._own.reserve(1 if reserved else 0)

    async def join(self, transaction: AppTransaction, table: str) -> JoinedPostgres:
        """Return an executor of statements in a transaction of the app, of this or another library.

        Raises ``NotATransactionError`` for other objects, ``OtherDatabaseError`` if it belongs to another database,
        ``TransactionUnusableError`` if it cannot be written in, or its search path does not lead to ``table``.
        """
        return await self._joining.join(transaction, table)

    async def _ask(self, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        async with self.own_connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
            await cursor.execute(sql.encode(), values)
            return await cursor.fetchall()

    @asynccontextmanager
    async def own_connection(self) -> AsyncGenerator[Connection]:
        """Borrow a connection for internal statements; each is committed separately.

        A statement that waits longer than ``OWN_LOCK_SECONDS`` for a lock raises ``DatabaseLockedError``.
        """
        with self.explained():
            async with self._own.connection() as connection:
                yield connection

    @asynccontextmanager
    async def free_connection(self, call: str) -> AsyncGenerator[Connection]:
        """Borrow one of the app's connections for statements that are committed separately.

        Raises ``TransactionHeldError``, naming the call, in a task that has a transaction open.
        """
        self.check_free(call)
        with self.explained():
            async with self._pool.connection() as connection:
                yield connection

    def explained(self) -> AbstractContextManager[None]:
        """Return a block that translates errors of server, role and connection to errors of this package."""
        return explained(self.name)

    def check_free(self, call: str) -> None:
        """Raise ``TransactionHeldError``, naming the call, in a task that has a transaction open."""
        if self._holders.of_this_task() is not None:
            raise TransactionHeldError(call)
