"""The connection of a session or connection of SQLAlchemy, with a transaction begun."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from tetherpy.errors import first_line

from ..errors import OtherDatabaseError, TransactionUnusableError
from .recognition import Library

SYNCHRONOUS = (Library.SESSION, Library.CONNECTION)
ASYNCHRONOUS = (Library.ASYNC_SESSION, Library.ASYNC_CONNECTION)


def begun(transaction: Any, library: Library) -> Any:
    """Return the ``Connection`` of a synchronous session or connection, with a transaction begun.

    SQLAlchemy commits only a transaction that it knows, so a use of the driver's connection must not come first.
    """
    with refused():
        if library is Library.SESSION:
            return transaction.connection()
        if not transaction.in_transaction():
            transaction.begin()
        return transaction


async def begun_async(transaction: Any, library: Library) -> Any:
    """Return the ``AsyncConnection`` of an asynchronous session or connection, with a transaction begun."""
    with refused():
        if library is Library.ASYNC_SESSION:
            return await transaction.connection()
        if not transaction.in_transaction():
            await transaction.begin()
        return transaction


def sqlite_driver_connection(transaction: Any, library: Library, path: str) -> object:
    """Return the driver's connection of a synchronous session or connection.

    Raises ``OtherDatabaseError`` if it is not one to SQLite.
    """
    connection = begun(transaction, library)
    check_dialect(connection, "sqlite", path)
    driver_connection: object = pooled(connection).driver_connection
    return driver_connection


async def sqlite_driver_connection_async(transaction: Any, library: Library, path: str) -> object:
    """Return the driver's connection as ``sqlite_driver_connection`` does, of an asynchronous session or connection."""
    connection = await begun_async(transaction, library)
    check_dialect(connection, "sqlite", path)
    driver_connection: object = (await pooled_async(connection)).driver_connection
    return driver_connection


def pooled(connection: Any) -> Any:
    """Return the pool's connection under a ``Connection``; refused if it is closed, or was lost in the transaction."""
    with refused():
        return connection.connection


async def pooled_async(connection: Any) -> Any:
    """Return the pool's connection as ``pooled`` does, under an ``AsyncConnection``."""
    with refused():
        return await connection.get_raw_connection()


def check_dialect(connection: Any, wanted: str, database: str) -> None:
    """Raise ``OtherDatabaseError`` if a connection is one to another kind of database."""
    if connection.dialect.name != wanted:
        raise OtherDatabaseError(f"a database of {connection.dialect.name}", database)


@contextmanager
def refused() -> Generator[None]:
    """Translate SQLAlchemy's refusals: a closed connection, a session that must be rolled back first."""
    try:
        yield
    except sys.modules["sqlalchemy.exc"].SQLAlchemyError as error:
        raise TransactionUnusableError(
            f"SQLAlchemy refuses it ({first_line(error)})",
            "pass a session or connection that is open; after an error roll it back first",
        ) from error
