"""Execute statements: one statement, one transaction, one round trip; repeat where that is safe."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, TypeAlias, TypeVar

import psycopg

from tetherpy.database import DatabaseLockedError, DatabaseUnavailableError, PostgresDatabase, TransactionConflictError

from .. import schema
from .value_loading import open_cursor

Connection: TypeAlias = "psycopg.AsyncConnection[Any]"
T = TypeVar("T")

RETRIES = 5
FIRST_DELAY_SECONDS = 0.05
LOCKED_SECONDS = 10.0
"""How long a worker's statement is tried again that waits for a lock."""
CHANGE = "a change of jobs"


async def call(db: PostgresDatabase, statement: bytes, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Execute one statement for an app; repeat it after a deadlock, when the server has rolled it back.

    Raises ``DatabaseUnavailableError`` when the connection is lost: it is then unknown whether the statement committed;
    ``TransactionHeldError`` in a task that has a transaction open, since the statement would not be part of it.
    """
    return await _until_not_undone(db, lambda: _execute(db.free_connection(CHANGE), statement, values))


async def transact(db: PostgresDatabase, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Do work in a separate transaction, and repeat it if the server rolled it back; errors are those of ``call``."""

    async def attempt() -> T:
        async with db.free_connection(CHANGE) as connection, connection.transaction():
            return await work(connection)

    return await _until_not_undone(db, attempt)


async def ask(db: PostgresDatabase, statement: bytes, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Execute a statement that only reads; repeat it for a while if the connection is lost.

    Raises ``DatabaseLockedError`` as ``report`` does.
    """
    return await _until_not_lost(lambda: _retry_locked(db, statement, values))


async def report(db: PostgresDatabase, statement: bytes, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Execute one statement of a worker, over connections that are reserved for workers.

    While it waits for a lock, other statements get its connection now and then. Raises ``DatabaseLockedError`` after
    ``LOCKED_SECONDS``, other errors as ``call`` does.
    """
    db.check_free(CHANGE)
    return await _retry_locked(db, statement, values)


async def _retry_locked(db: PostgresDatabase, statement: bytes, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    deadline = asyncio.get_running_loop().time() + LOCKED_SECONDS
    while True:
        try:
            return await _until_not_undone(db, lambda: _execute(db.own_connection(), statement, values))
        except DatabaseLockedError as error:
            if asyncio.get_running_loop().time() >= deadline:
                raise DatabaseLockedError(db.name, LOCKED_SECONDS) from error


async def repeat(db: PostgresDatabase, statement: bytes, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Execute an idempotent statement of a worker, as ``report`` does; repeat it if the connection is lost."""
    return await _until_not_lost(lambda: report(db, statement, values))


async def _until_not_lost(attempt: Callable[[], Awaitable[T]]) -> T:
    delay = FIRST_DELAY_SECONDS
    for _ in range(RETRIES):
        try:
            return await attempt()
        except DatabaseUnavailableError:
            await asyncio.sleep(delay)
            delay *= 2
    return await attempt()


async def _until_not_undone(db: PostgresDatabase, attempt: Callable[[], Awaitable[T]]) -> T:
    """Repeat after a deadlock; raise ``SchemaNewerError`` if it fails because newer code has changed the tables."""
    try:
        for _ in range(RETRIES):
            with suppress(TransactionConflictError):
                return await attempt()
            await asyncio.sleep(FIRST_DELAY_SECONDS)
        return await attempt()
    except psycopg.ProgrammingError:
        # A function, table or column does not exist, or takes other values.
        await schema.refuse_newer(db)
        raise


async def _execute(
    borrowing: AbstractAsyncContextManager[Connection], statement: bytes, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    async with borrowing as connection, open_cursor(connection) as cursor:
        await cursor.execute(statement, values)
        return await cursor.fetchall() if cursor.description is not None else []
