"""Asking the server: one statement, one transaction, one round trip; again where that is safe."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from tetherpy.database import (
    DatabaseUnavailableError,
    PostgresDatabase,
    PostgresTransaction,
    TransactionOverError,
)

Connection: TypeAlias = "psycopg.AsyncConnection[Any]"
T = TypeVar("T")

RETRIES = 5
FIRST_DELAY_SECONDS = 0.05


async def call(db: PostgresDatabase, statement: bytes, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Execute one statement that may change something; it is tried again only where it surely did nothing.

    That is after a deadlock, which the server ends by undoing one of the transactions. Raises
    ``DatabaseUnavailableError`` when the connection is lost: nobody knows then whether it was committed.
    """
    return await _until_not_undone(lambda: _execute(db, statement, values))


async def transact(db: PostgresDatabase, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Do work in a transaction of its own, all of it again if the server undid it; errors are those of ``call``."""

    async def attempt() -> T:
        async with db.own_connection() as connection, connection.transaction():
            return await work(connection)

    return await _until_not_undone(attempt)


async def ask(db: PostgresDatabase, statement: bytes, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Execute a statement that only reads, or may be done twice; again if the connection is lost, for a while."""
    delay = FIRST_DELAY_SECONDS
    for _ in range(RETRIES):
        try:
            return await call(db, statement, values)
        except DatabaseUnavailableError:
            await asyncio.sleep(delay)
            delay *= 2
    return await call(db, statement, values)


async def _until_not_undone(attempt: Callable[[], Awaitable[T]]) -> T:
    for _ in range(RETRIES):
        try:
            return await attempt()
        except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
            await asyncio.sleep(FIRST_DELAY_SECONDS)
    return await attempt()


async def _execute(db: PostgresDatabase, statement: bytes, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    async with db.own_connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(statement, values)
        return await cursor.fetchall() if cursor.description is not None else []


def connection_of(transaction: PostgresTransaction | Connection) -> Connection:
    """Return the connection of an app's transaction; ``TransactionOverError`` if it would commit each statement."""
    if isinstance(transaction, PostgresTransaction):
        return transaction.connection
    if transaction.autocommit and transaction.info.transaction_status is TransactionStatus.IDLE:
        raise TransactionOverError("the connection has none open: use connection.transaction()")
    return transaction
