"""Functions that run in a transaction of the app on another library's connection to the same SQLite file."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar, TypeVarTuple, cast

import attrs

from ..errors import DatabaseLockedError, DatabaseReadOnlyError, OtherDatabaseError, TransactionUnusableError
from ..migrations import Migration, apply, by_namespace
from ..shielding import finish
from ..sqlite.changes.table_versions import EVERY_TABLE, record
from ..sqlite.error_translation import explain
from ..sqlite.open_files import OpenFile
from ..sqlite.transaction import Transaction
from ..synchronous.thread_call import waiting_thread
from .recognition import AppTransaction, Library, recognized
from .sqlalchemy_connections import ASYNCHRONOUS, SYNCHRONOUS, sqlite_driver_connection, sqlite_driver_connection_async

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.001, 0.02
_SAVEPOINT = "tetherpy_joined"


class JoinedTransaction(Protocol):
    """A transaction of the app in which functions run on SQLite's connection."""

    async def run(self, function: Callable[[sqlite3.Connection, *Ts], T], *args: *Ts) -> T:
        """Run ``function(connection, *args)`` inside the transaction; it writes all or nothing."""
        ...

    async def migrate(self, steps: Iterable[Migration]) -> None:
        """Apply the migrations that are not applied yet, as a part of the transaction."""
        ...


async def join(file: OpenFile, transaction: AppTransaction, held: bool) -> JoinedTransaction:
    """Return an object that runs functions in a transaction of the app; the errors are those of ``Database.join``.

    ``held`` tells that the calling task has a transaction of the database open, and so the write lock.
    """
    library, connection = recognized(transaction)
    if library in ASYNCHRONOUS:
        connection = await sqlite_driver_connection_async(connection, library, str(file.path))
    if library in SYNCHRONOUS:
        connection = await _in_its_thread(partial(sqlite_driver_connection, connection, library, str(file.path)))
    if library in SYNCHRONOUS or library in ASYNCHRONOUS:
        library, connection = recognized(connection)
    match library:
        case Library.OURS_ON_SQLITE:
            ours = cast("Transaction", connection)
            ours.check_file(file)
            return ours
        case Library.SQLITE:
            hop: Hop = Inline(cast("sqlite3.Connection", connection))
        case Library.AIOSQLITE:
            hop = OnItsThread(connection)
        case _:
            raise OtherDatabaseError(library.value, str(file.path))
    path, busy_timeout = await _explained(hop, _examine, file.path, 0.0)
    if path is None or not file.is_the_file_at(path):
        raise OtherDatabaseError("a database in memory" if path is None else str(path), str(file.path))
    if held:
        raise TransactionUnusableError(
            "this task holds another transaction of the database, whose write lock it would wait for",
            "pass that one, or end it first",
        )
    return JoinedConnection(file.path, hop, busy_timeout)


class Hop(Protocol):
    """Call a function with the connection, in the thread that may use it."""

    async def __call__(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run the function, and return its result."""
        ...


@attrs.frozen(eq=False)
class Inline:
    """Use the connection in the calling thread; if a thread waits for this call, in that one."""

    _connection: sqlite3.Connection

    async def __call__(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run the function, and return its result."""
        return await _in_its_thread(lambda: function(self._connection))


async def _in_its_thread(work: Callable[[], T]) -> T:
    call = waiting_thread()
    return work() if call is None else await finish(call.in_thread(work))


@attrs.frozen(eq=False)
class OnItsThread:
    """Use the connection in the thread of its ``aiosqlite.Connection``.

    The driver has no public method that runs a function there, and one hop per statement would let other statements
    of the app run in between.
    """

    _connection: Any

    async def __call__(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run the function, and return its result."""
        try:
            connection = self._connection._conn
        except ValueError as error:
            raise _closed() from error
        work: Awaitable[T] = self._connection._execute(function, connection)
        return await finish(work)


@attrs.frozen(eq=False)
class JoinedConnection:
    """Run functions in the transaction of a connection that the app opened."""

    _path: Path
    _hop: Hop
    _busy_timeout: float

    async def run(self, function: Callable[[sqlite3.Connection, *Ts], T], *args: *Ts) -> T:
        """Run ``function(connection, *args)`` inside the transaction; it writes all or nothing.

        While another connection holds the write lock, this waits in the loop, not inside SQLite: the holder may be
        another task of the loop. The bound is the connection's ``busy_timeout``.
        """
        deadline = asyncio.get_running_loop().time() + self._busy_timeout
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return await _explained(
                    self._hop, lambda connection: _inside(connection, function, args), self._path, self._busy_timeout
                )
            except DatabaseLockedError:
                if asyncio.get_running_loop().time() >= deadline:
                    raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def migrate(self, steps: Iterable[Migration]) -> None:
        """Apply the migrations that are not applied yet, as a part of the transaction."""
        for ordered in by_namespace(steps).values():
            for step in ordered:
                await self.run(apply, ordered, step)


async def _explained(hop: Hop, function: Callable[[sqlite3.Connection], T], path: Path, busy_timeout: float) -> T:
    try:
        return await hop(function)
    except sqlite3.Error as error:
        explained = _meaning(error, path, busy_timeout)
        if explained is None:
            raise
        raise explained from error


def _meaning(error: sqlite3.Error, path: Path, busy_timeout: float) -> Exception | None:
    if isinstance(error, sqlite3.ProgrammingError):
        text = str(error)
        if "thread" in text:
            return TransactionUnusableError(
                "the connection was made in another thread",
                "use a connection of this thread, or connect with check_same_thread=False",
            )
        return _closed() if "closed" in text else None
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY_SNAPSHOT:
        return TransactionUnusableError(
            "another connection has written since this transaction first read, so SQLite does not let it write",
            "roll it back and repeat it; with BEGIN IMMEDIATE at its start this cannot happen",
        )
    explained = explain(error, path, busy_timeout)
    if isinstance(explained, DatabaseReadOnlyError):
        return TransactionUnusableError(
            "the connection or its file is read-only", "connect without mode=ro, and without PRAGMA query_only"
        )
    return explained


def _closed() -> TransactionUnusableError:
    return TransactionUnusableError("its connection is closed", "pass one that stays open until the commit")


def _examine(connection: sqlite3.Connection) -> tuple[Path | None, float]:
    """Return the file of a connection, None for one in memory, and its busy timeout in seconds.

    Raises ``TransactionUnusableError`` if it would commit each statement.
    """
    main = _rows(connection, "PRAGMA database_list")[0]
    ((milliseconds,),) = _rows(connection, "PRAGMA busy_timeout")
    if not connection.in_transaction and _commits_each_statement(connection):
        raise TransactionUnusableError(
            "the connection commits each statement, and has no transaction open",
            "execute BEGIN first, or connect without isolation_level=None and autocommit=True",
        )
    # Bytes, if the connection returns text as bytes.
    return Path(os.fsdecode(main[2])) if main[2] else None, milliseconds / 1000


def _commits_each_statement(connection: sqlite3.Connection) -> bool:
    """Tell whether the connection begins no transaction before a statement that writes."""
    mode = getattr(connection, "autocommit", None)  # since Python 3.12
    return mode is True or (mode is not False and connection.isolation_level is None)


def _inside(connection: sqlite3.Connection, function: Callable[..., T], args: tuple[Any, ...]) -> T:
    with _as_ours(connection):
        begins = not connection.in_transaction
        connection.execute("BEGIN IMMEDIATE" if begins else f"SAVEPOINT {_SAVEPOINT}")
        try:
            result = function(connection, *args)
            # The other tables that the transaction changes are not known.
            record(connection, {EVERY_TABLE})
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK" if begins else f"ROLLBACK TO {_SAVEPOINT}")
                if not begins:
                    connection.execute(f"RELEASE {_SAVEPOINT}")
            raise
        if not begins:
            connection.execute(f"RELEASE {_SAVEPOINT}")
        return result


@contextmanager
def _as_ours(connection: sqlite3.Connection) -> Generator[None]:
    """Give the connection the settings that our functions expect, and its own ones back at the end."""
    row_factory, text_factory = connection.row_factory, connection.text_factory
    ((milliseconds,),) = _rows(connection, "PRAGMA busy_timeout")
    connection.row_factory, connection.text_factory = sqlite3.Row, str
    try:
        _rows(connection, "PRAGMA busy_timeout = 0")
        yield
    finally:
        connection.row_factory, connection.text_factory = row_factory, text_factory
        _rows(connection, f"PRAGMA busy_timeout = {milliseconds}")


def _rows(connection: sqlite3.Connection, sql: str) -> list[tuple[Any, ...]]:
    cursor = sqlite3.Connection.cursor(connection)
    cursor.row_factory = None
    return cursor.execute(sql).fetchall()
