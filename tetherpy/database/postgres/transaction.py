"""Transactions, and the execution of statements in and outside them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Any, Self

import attrs
from psycopg import AsyncRawCursor

from ..errors import DatabaseUnavailableError, TransactionNestedError, TransactionOverError
from ..migrations import Migration
from ..required_row import required
from ..shielding import finish
from ..sqlite.connection import Parameters
from . import migrations
from .connection import Connection
from .error_translation import explained
from .placeholders import bound
from .rows import PostgresRow, row_factory


@attrs.frozen
class PostgresExecuted:
    """The result of a statement: the rows of its ``RETURNING`` clause, and how many rows it changed."""

    rows: list[PostgresRow]
    rowcount: int


async def execute(connection: Connection, sql: str, parameters: Parameters) -> PostgresExecuted:
    """Execute one statement and fetch all its rows."""
    text, values = bound(sql, parameters)
    async with AsyncRawCursor(connection, row_factory=row_factory) as cursor:
        await cursor.execute(text, values)
        rows = await cursor.fetchall() if cursor.description is not None else []
        return PostgresExecuted(rows, cursor.rowcount)


async def execute_many(connection: Connection, sql: str, parameters: Iterable[Parameters]) -> int:
    """Execute one statement for each set of parameters; return how many rows changed."""
    given = [bound(sql, values) for values in parameters]
    if not given:
        return 0
    async with AsyncRawCursor(connection, row_factory=row_factory) as cursor:
        await cursor.executemany(given[0][0], [values or () for _, values in given])
        return cursor.rowcount


async def fetch_first(connection: Connection, sql: str, parameters: Parameters) -> PostgresRow | None:
    """Return the first row, or None."""
    text, values = bound(sql, parameters)
    async with AsyncRawCursor(connection, row_factory=row_factory) as cursor:
        await cursor.execute(text, values)
        return await cursor.fetchone()


@attrs.define(eq=False)
class PostgresTransaction:
    """A transaction: it commits at the end of its block, and rolls back if an error leaves it; nested, a savepoint.

    It has one connection from beginning to end: ``connection``, for code that uses psycopg directly. The task may be
    cancelled at any point: when ``CancelledError`` leaves the block, its changes are rolled back. A cancellation
    during the commit is raised after it, with the changes committed. If the connection is lost, every call and the
    end of the block raise ``DatabaseUnavailableError``; the changes are rolled back, unless the connection is lost
    during the commit: then they may be committed.
    """

    _name: str
    _borrow: Callable[[], AbstractAsyncContextManager[Connection]]
    _entered: Callable[[PostgresTransaction], None]
    _left: Callable[[PostgresTransaction], None]
    _announce: Callable[[str], None]
    _parent: PostgresTransaction | None = None
    _child: PostgresTransaction | None = None
    _connection: Connection | None = None
    _stack: AsyncExitStack = attrs.Factory(AsyncExitStack)
    _over: str | None = "it has not begun"
    _owed: set[str] = attrs.Factory(set[str])

    @property
    def name(self) -> str:
        """Return the address of its database, without the password."""
        return self._name

    @property
    def connection(self) -> Connection:
        """Return its connection; raises ``TransactionOverError`` before it begins and after its end."""
        if self._over is not None or self._connection is None:
            raise TransactionOverError(self._over or "it has not begun")
        if self._child is not None:
            raise TransactionNestedError
        return self._connection

    async def execute(self, sql: str, parameters: Parameters = ()) -> PostgresExecuted:
        """Execute one statement inside the transaction."""
        with explained(self._name):
            return await execute(self.connection, sql, parameters)

    async def execute_many(self, sql: str, parameters: Iterable[Parameters]) -> int:
        """Execute one statement for each set of parameters; return how many rows changed."""
        with explained(self._name):
            return await execute_many(self.connection, sql, parameters)

    async def get(self, sql: str, parameters: Parameters = ()) -> PostgresRow:
        """Return the first row as this transaction sees it; raises ``RowNotFoundError`` without one."""
        return required(await self.get_optional(sql, parameters), sql)

    async def get_optional(self, sql: str, parameters: Parameters = ()) -> PostgresRow | None:
        """Return the first row, as this transaction sees it, or None."""
        with explained(self._name):
            return await fetch_first(self.connection, sql, parameters)

    async def get_all(self, sql: str, parameters: Parameters = ()) -> list[PostgresRow]:
        """Return all rows, as this transaction sees them."""
        return (await self.execute(sql, parameters)).rows

    async def migrate(self, steps: Iterable[Migration]) -> None:
        """Apply the migrations that are not applied yet, as a part of this transaction.

        Raises ``DatabaseLockedError`` or ``TransactionConflictError`` if another transaction holds a lock that a step
        needs; then try the whole transaction again.
        """
        with explained(self._name):
            async with migrations.changing(connection := self.connection):
                await migrations.migrate(connection, steps)

    def transaction(self) -> PostgresTransaction:
        """Return a nested transaction, a savepoint: ``async with tx.transaction() as inner``."""
        return PostgresTransaction(
            self._name, self._borrow, self._entered, self._left, self.announce_when_committed, self
        )

    def announce_when_committed(self, channel: str) -> None:
        """Notify a channel after the commit, not in it (see ``Announcer``)."""
        self._owed.add(channel)

    async def __aenter__(self) -> Self:
        if self._connection is not None:
            raise TransactionOverError("a transaction is entered once")
        with explained(self._name):
            async with AsyncExitStack() as stack:
                if self._parent is None:
                    connection = await stack.enter_async_context(self._borrow())
                else:
                    connection = self._parent.connection
                await stack.enter_async_context(connection.transaction())
                self._stack = stack.pop_all()
        self._connection, self._over = connection, None
        if self._parent is not None:
            self._parent._child = self
        self._entered(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = "it has ended"
        self._left(self)
        if self._parent is not None:
            self._parent._child = None
        if self._child is not None:
            self._child._over = "the outer one has ended"
        # If the connection is lost, psycopg leaves the block without an error, as if it had committed.
        lost = kind is None and self._connection is not None and self._connection.closed
        try:
            with explained(self._name):
                await finish(self._stack.__aexit__(kind, error, trace))
        finally:
            # Notify after an error or a cancellation too, because the transaction may be committed.
            if kind is None:
                for channel in self._owed:
                    self._announce(channel)
        if lost:
            raise DatabaseUnavailableError(self._name, "the connection was lost before the transaction was committed")

    @property
    def innermost(self) -> PostgresTransaction:
        """Return the innermost nested transaction, or this one."""
        return self if self._child is None else self._child.innermost


@attrs.define
class Holders:
    """The open transaction of each task, so that a second one in the same task is nested."""

    _held: dict[asyncio.Task[Any] | None, PostgresTransaction] = attrs.Factory(
        dict["asyncio.Task[Any] | None", PostgresTransaction]
    )

    def enter(self, transaction: PostgresTransaction) -> None:
        """Record the transaction of the current task; a nested one belongs to its outer one."""
        self._held.setdefault(asyncio.current_task(), transaction)

    def leave(self, transaction: PostgresTransaction) -> None:
        """Remove a transaction that has ended."""
        for task in [task for task, held in self._held.items() if held is transaction]:
            del self._held[task]

    def of_this_task(self) -> PostgresTransaction | None:
        """Return the innermost transaction of the current task."""
        held = self._held.get(asyncio.current_task())
        return None if held is None else held.innermost
