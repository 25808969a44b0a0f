"""Transactions that a task keeps open across awaits, with nested savepoints."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self, TypeVar, TypeVarTuple

import attrs

from ..errors import (
    DatabaseClosedError,
    DatabaseReplacedError,
    OtherDatabaseError,
    TransactionNestedError,
    TransactionOverError,
)
from ..migrations import Migration, apply, by_namespace
from ..required_row import required
from ..shielding import finish
from .connection import Parameters, Row
from .execution import Executed, execute, execute_many, fetch_all, fetch_first
from .open_files import OpenFile
from .savepoints import Savepoint, Scope
from .writer import Writer

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@attrs.define(eq=False)
class Transaction:
    """A transaction: its block holds the write lock, commits at its end, and rolls back if an error leaves it.

    The task may be cancelled at any point: when ``CancelledError`` leaves the block, its changes are rolled back and
    the lock is free. A cancellation during the commit is raised after it, with the changes committed. Other tasks
    may use the same transaction; their statements run one after another.
    """

    _writer: Writer
    _scope: Scope
    _parent: "Transaction | None" = None
    _child: "Transaction | None" = None
    _task: "asyncio.Task[Any] | None" = None
    _over: str | None = "it has not begun"
    _given_up: bool = False
    _ended: asyncio.Event = attrs.Factory(asyncio.Event)

    async def run(self, function: Callable[[sqlite3.Connection, *Ts], T], *args: *Ts) -> T:
        """Run ``function(connection, *args)`` inside the transaction, in one hop."""
        await self._turn()
        if self._over is not None:
            raise TransactionOverError(self._over)
        result: T = await self._writer.inside(function, args)
        return result

    async def execute(self, sql: str, parameters: Parameters = ()) -> Executed:
        """Execute one statement inside the transaction."""
        return await self.run(execute, sql, parameters)

    async def execute_many(self, sql: str, parameters: Iterable[Parameters]) -> int:
        """Execute one statement for each set of parameters; return how many rows changed."""
        return await self.run(execute_many, sql, parameters)

    async def get(self, sql: str, parameters: Parameters = ()) -> Row:
        """Return the first row as this transaction sees it; raises :class:`RowNotFoundError` without one."""
        return required(await self.get_optional(sql, parameters), sql)

    async def get_optional(self, sql: str, parameters: Parameters = ()) -> Row | None:
        """Return the first row, as this transaction sees it, or None."""
        return await self.run(fetch_first, sql, parameters)

    async def get_all(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Return all rows, as this transaction sees them."""
        return await self.run(fetch_all, sql, parameters)

    async def migrate(self, steps: Iterable[Migration]) -> None:
        """Apply the migrations that are not applied yet, as a part of this transaction.

        Raises as :meth:`Database.migrate` does.
        """
        for ordered in by_namespace(steps).values():
            for step in ordered:
                await self.run(apply, ordered, step)

    def transaction(self) -> "Transaction":
        """Return a nested transaction, a savepoint: ``async with tx.transaction() as inner``."""
        return Transaction(self._writer, Savepoint(self._writer.connection_thread, self._depth + 1), self)

    def check_file(self, file: OpenFile) -> None:
        """Raise ``OtherDatabaseError`` unless it belongs to this file."""
        own = self._writer.connection_thread.file
        if own is not file and not file.is_the_file_at(own.path):
            raise OtherDatabaseError(str(own.path), str(file.path))

    def held_by(self, task: "asyncio.Task[Any] | None") -> "Transaction | None":
        """Return the innermost transaction that ``task`` entered, this one or one nested in it; None without one."""
        nested = None if self._child is None else self._child.held_by(task)
        return nested or (self if self._task is task else None)

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise TransactionOverError("a transaction is entered once")
        self._task = asyncio.current_task()
        await self._take_place()
        try:
            await self._scope.begin(self._wanted)
        except BaseException:
            # A BEGIN whose task was cancelled may still succeed on the writer's thread; the rollback runs after it.
            self._given_up = True
            await self._undo("it could not begin")
            raise
        self._over = None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        file = self._writer.connection_thread.file
        if error is None:
            file.check_process()
        elif not file.is_inherited:  # in a forked child the transaction belongs to the parent
            await self._undo("it was rolled back")
        if error is not None:
            return
        try:
            await self._turn()
        except BaseException:
            await self._undo("it was rolled back")
            raise
        try:
            if self._over is not None:
                raise TransactionOverError(self._over)
            await finish(self._scope.commit())
        finally:
            self._leave_place("it has ended")

    async def _undo(self, reason: str) -> None:
        try:
            # There is nothing to undo after the end of the outer transaction, of the database or of its file.
            if self._over is None or self._given_up:
                with contextlib.suppress(DatabaseClosedError, DatabaseReplacedError):
                    await finish(self._scope.rollback())
        finally:
            self._leave_place(reason)

    @property
    def _depth(self) -> int:
        return 0 if self._parent is None else self._parent._depth + 1

    def _wanted(self) -> bool:
        return not self._given_up

    async def _turn(self) -> None:
        """Wait for nested transactions of other tasks; waiting for one of this task would be a deadlock."""
        while (child := self._child) is not None:
            if child._task is asyncio.current_task():
                raise TransactionNestedError
            await child._ended.wait()

    async def _take_place(self) -> None:
        parent = self._parent
        if parent is None:
            await self._writer.acquire(self)
            return
        await parent._turn()
        if parent._over is not None:
            raise TransactionOverError(parent._over)
        parent._child = self

    def _leave_place(self, reason: str) -> None:
        self._close(reason)
        if self._parent is None:
            self._writer.release()
        elif self._parent._child is self:
            self._parent._child = None

    def _close(self, reason: str) -> None:
        """End this transaction and its nested ones: their statements must not run in the next transaction."""
        self._over = reason
        self._ended.set()
        if self._child is not None:
            self._child._close(reason)
