"""Recognition of the app's transaction by its library, which is never imported here."""

import sys
from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol, TypeAlias

from ..errors import NotATransactionError
from ..sql_database import SqlTransaction
from ..synchronous.sync_database import SyncTransaction


class LibraryTransaction(Protocol):
    """A connection or a session of another library: it executes statements, commits and rolls back."""

    @property
    def execute(self) -> Callable[..., Any]:
        """Execute a statement."""
        ...

    @property
    def commit(self) -> Callable[..., Any]:
        """Commit the transaction."""
        ...

    @property
    def rollback(self) -> Callable[..., Any]:
        """Roll the transaction back."""
        ...


AppTransaction: TypeAlias = SqlTransaction | SyncTransaction | LibraryTransaction
"""A transaction of the app, for ``transaction=``.

It is one of ``db.transaction()``, a ``sqlite3.Connection``, an ``aiosqlite.Connection``, a ``Session``,
``AsyncSession``, ``Connection`` or ``AsyncConnection`` of SQLAlchemy, or a ``Connection`` or ``AsyncConnection`` of
psycopg. Any other object raises ``NotATransactionError``.
"""


class Library(Enum):
    """The kinds of transactions that are accepted; the value describes their database."""

    OURS_ON_SQLITE = "an SQLite file (Database)"
    OURS_ON_POSTGRES = "a PostgreSQL server (PostgresDatabase)"
    SQLITE = "an SQLite file (sqlite3)"
    AIOSQLITE = "an SQLite file (aiosqlite)"
    PSYCOPG = "a PostgreSQL server (psycopg)"
    PSYCOPG_ASYNC = "a PostgreSQL server (async psycopg)"
    SESSION = "SQLAlchemy session"
    ASYNC_SESSION = "SQLAlchemy async session"
    CONNECTION = "SQLAlchemy connection"
    ASYNC_CONNECTION = "SQLAlchemy async connection"


_TYPES = (
    ("tetherpy.database.sqlite.transaction", "Transaction", Library.OURS_ON_SQLITE),
    ("tetherpy.database.postgres.transaction", "PostgresTransaction", Library.OURS_ON_POSTGRES),
    ("sqlite3", "Connection", Library.SQLITE),
    ("aiosqlite", "Connection", Library.AIOSQLITE),
    ("psycopg", "Connection", Library.PSYCOPG),
    ("psycopg", "AsyncConnection", Library.PSYCOPG_ASYNC),
    ("sqlalchemy.orm", "Session", Library.SESSION),
    ("sqlalchemy.orm", "scoped_session", Library.SESSION),
    ("sqlalchemy.ext.asyncio", "AsyncSession", Library.ASYNC_SESSION),
    ("sqlalchemy.ext.asyncio", "async_scoped_session", Library.ASYNC_SESSION),
    ("sqlalchemy", "Connection", Library.CONNECTION),
    ("sqlalchemy.ext.asyncio", "AsyncConnection", Library.ASYNC_CONNECTION),
)


def recognized(transaction: object) -> tuple[Library, Any]:
    """Return the kind of a transaction, and the one inside if it is a ``SyncTransaction``.

    Raises ``NotATransactionError`` for any other object.
    """
    given = transaction.joined if isinstance(transaction, SyncTransaction) else transaction
    for module, name, library in _TYPES:
        # An object of a type exists only if its module is imported.
        known = getattr(sys.modules.get(module), name, None)
        if known is not None and isinstance(given, known):
            return library, given
    raise NotATransactionError(transaction)
