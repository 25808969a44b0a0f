"""Statements that run in a transaction of the app on another library's connection to the same PostgreSQL database."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any, TypeAlias, TypeVar, cast

import attrs
from psycopg import AsyncConnection, AsyncCursor, Connection, Cursor
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from ..app_transactions.recognition import AppTransaction, Library, recognized
from ..app_transactions.sqlalchemy_connections import (
    ASYNCHRONOUS,
    SYNCHRONOUS,
    begun,
    begun_async,
    check_dialect,
    pooled,
    pooled_async,
    refused,
)
from ..errors import DatabaseReadOnlyError, OtherDatabaseError, TransactionUnusableError
from ..shielding import finish
from ..synchronous.thread_call import waiting_thread
from .error_translation import explained
from .transaction import PostgresTransaction

T = TypeVar("T")
Rows: TypeAlias = list[tuple[Any, ...]]

# The start as a number: as text it would depend on the time zone and the date style of each session.
_IDENTITY = """SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint, current_database()::text,
to_regclass(%(table)s::text)::oid::bigint, current_setting('transaction_read_only')"""
_VALUE = re.compile(r"%\((\w+)\)s")
_FAILED, _READ_ONLY = "25P02", "25006"


@attrs.frozen(eq=False)
class JoinedPostgres:
    """A transaction of the app in which statements run.

    Attributes:
        fetch: executes a statement with ``%(name)s`` for values; returns its rows.
        announces: the transaction whose process notifies after the commit; None if the commit must notify.
    """

    fetch: Callable[[bytes, Mapping[str, Any]], Awaitable[Rows]]
    announces: PostgresTransaction | None = None


@attrs.frozen
class Identity:
    """Which server, database and table a connection uses.

    ``started`` is when the server was started, in microseconds of the epoch; ``table`` is an object id, None without
    the table.
    """

    started: int
    database: str
    table: int | None


@attrs.define(eq=False)
class Joining:
    """Checks that a transaction belongs to the database that ``ask`` queries, and that it can write."""

    _name: str
    _ask: Callable[[str, Mapping[str, Any]], Awaitable[Rows]]
    _own: dict[str, Identity] = attrs.field(init=False, factory=dict[str, Identity])

    async def join(self, transaction: AppTransaction, table: str) -> JoinedPostgres:
        """Return an executor of statements in the transaction; the errors are those of ``PostgresDatabase.join``."""
        joined = await _joined(self._name, transaction)
        if joined.announces is not None and joined.announces.name == self._name:
            return joined
        given, read_only = _identity(await joined.fetch(_IDENTITY.encode(), {"table": table}))
        if given != self._own.get(table):
            self._own[table], _ = _identity(await self._ask(_IDENTITY, {"table": table}))
        own = self._own[table]
        if (given.started, given.database) != (own.started, own.database):
            raise OtherDatabaseError(f"the database {given.database!r}, perhaps of another server", self._name)
        if given != own:
            raise TransactionUnusableError(
                f"its search_path does not lead to the table {table!r} of {self._name}",
                "give its connection the search_path of the database",
            )
        if read_only:
            raise TransactionUnusableError(
                "it is read-only", "begin it without READ ONLY, on a connection to the primary server"
            )
        return joined


def _identity(rows: Rows) -> tuple[Identity, bool]:
    ((started, database, table, read_only),) = rows
    return Identity(started, database, table), read_only == "on"


async def _joined(name: str, transaction: AppTransaction) -> JoinedPostgres:
    library, given = recognized(transaction)
    match library:
        case Library.OURS_ON_POSTGRES:
            return JoinedPostgres(partial(_fetch_in_ours, name, given), given)
        case Library.PSYCOPG:
            return JoinedPostgres(partial(_fetch_with_psycopg, name, given))
        case Library.PSYCOPG_ASYNC:
            return JoinedPostgres(partial(_fetch_with_async_psycopg, name, given))
        case _ if library in SYNCHRONOUS:
            connection = await _in_thread(lambda: begun(given, library))
            check_dialect(connection, "postgresql", name)
            return JoinedPostgres(partial(_fetch_with_sqlalchemy, name, connection))
        case _ if library in ASYNCHRONOUS:
            connection = await begun_async(given, library)
            check_dialect(connection, "postgresql", name)
            driver = (await pooled_async(connection)).dbapi_connection
            return JoinedPostgres(partial(_fetch_with_async_sqlalchemy, name, connection, driver))
        case _:
            raise OtherDatabaseError(library.value, name)


async def _fetch_in_ours(name: str, given: PostgresTransaction, statement: bytes, values: Mapping[str, Any]) -> Rows:
    with explained(name):
        return await _rows(given.connection.cursor(row_factory=tuple_row), statement, values)


async def _fetch_with_async_psycopg(
    name: str, connection: AsyncConnection[Any], statement: bytes, values: Mapping[str, Any]
) -> Rows:
    _check(connection)
    with explained(name):
        # Not the connection's own class of cursors, which may have other placeholders.
        return await _rows(AsyncCursor(connection, row_factory=tuple_row), statement, values)


async def _fetch_with_psycopg(
    name: str, connection: Connection[Any], statement: bytes, values: Mapping[str, Any]
) -> Rows:
    """Execute in a thread, since the statement may wait for a lock."""
    _check(connection)

    def work() -> Rows:
        with Cursor(connection, row_factory=tuple_row) as cursor:
            return cursor.execute(statement, values).fetchall()

    with explained(name):
        return await _in_thread(work)


async def _fetch_with_sqlalchemy(name: str, connection: Any, statement: bytes, values: Mapping[str, Any]) -> Rows:
    """Execute in a thread, with any driver."""
    _check_begins(pooled(connection).dbapi_connection)
    text = _text(statement)
    with _driver_errors(name):
        return await _in_thread(lambda: [tuple(row) for row in connection.execute(text, dict(values)).fetchall()])


async def _fetch_with_async_sqlalchemy(
    name: str, connection: Any, driver: Any, statement: bytes, values: Mapping[str, Any]
) -> Rows:
    """Execute with any driver."""
    _check_begins(driver)
    with _driver_errors(name):
        result = await connection.execute(_text(statement), dict(values))
        return [tuple(row) for row in result.fetchall()]


async def _rows(cursor: AsyncCursor[Any], statement: bytes, values: Mapping[str, Any]) -> Rows:
    async with cursor:
        await cursor.execute(statement, values)
        return await cursor.fetchall()


def _check(connection: AsyncConnection[Any] | Connection[Any]) -> None:
    if connection.closed and not connection.broken:
        raise TransactionUnusableError("its connection is closed", "pass one that stays open until the commit")
    status = connection.info.transaction_status
    if status is TransactionStatus.INERROR:
        raise _failed()
    if status is TransactionStatus.IDLE:
        _check_begins(connection)


def _check_begins(connection: Any) -> None:
    """Raise ``TransactionUnusableError`` if the connection begins no transaction before a statement."""
    if getattr(connection, "autocommit", False) is True:
        raise TransactionUnusableError(
            "the connection commits each statement, and has no transaction open",
            "use connection.transaction(), or connect without autocommit",
        )


def _failed() -> TransactionUnusableError:
    return TransactionUnusableError("an earlier statement in it has failed", "roll it back, and repeat it")


@contextmanager
def _driver_errors(name: str) -> Generator[None]:
    """Translate errors that SQLAlchemy wraps: to those of this package if they are not about the statement."""
    try:
        with refused():
            yield
    except TransactionUnusableError as error:
        driver_error = getattr(error.__cause__, "orig", None)
        state = _state_of(driver_error)
        if driver_error is None:
            raise
        if state == _FAILED:
            raise _failed() from driver_error
        if state == _READ_ONLY:
            raise DatabaseReadOnlyError(name) from driver_error
        with explained(name):
            raise driver_error from None


def _state_of(error: Any) -> object:
    """Return the SQLSTATE of an error of psycopg or asyncpg, of psycopg2, or of pg8000."""
    for name in ("sqlstate", "pgcode"):
        if hasattr(error, name):
            return getattr(error, name)
    details = error.args[0] if getattr(error, "args", ()) else None
    return cast("dict[str, object]", details).get("C") if isinstance(details, dict) else None


@lru_cache(maxsize=64)
def _text(statement: bytes) -> Any:
    """Return a statement for SQLAlchemy, which gives each driver its own placeholders."""
    # In parentheses: SQLAlchemy does not find a name that a cast follows.
    return sys.modules["sqlalchemy"].text(_VALUE.sub(r"(:\1)", statement.decode()))


async def _in_thread(work: Callable[[], T]) -> T:
    """Run work in the thread that waits for this call, else in another one, since it may wait for a lock."""
    call = waiting_thread()
    return await finish(asyncio.to_thread(work) if call is None else call.in_thread(work))
