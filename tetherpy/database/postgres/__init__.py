"""PostgreSQL databases for asyncio apps, with the methods of ``Database``."""

from tetherpy.facades import facade_dir

from .database import PostgresDatabase
from .joined_transaction import JoinedPostgres
from .rows import PostgresRow
from .transaction import PostgresExecuted, PostgresTransaction

__all__ = ["JoinedPostgres", "PostgresDatabase", "PostgresExecuted", "PostgresRow", "PostgresTransaction"]

__dir__ = facade_dir(__all__)
