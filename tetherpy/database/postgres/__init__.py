"""PostgreSQL databases for asyncio apps, with the methods of ``Database``."""

from .database import PostgresDatabase
from .rows import PostgresRow
from .transaction import PostgresExecuted, PostgresTransaction

__all__ = ["PostgresDatabase", "PostgresExecuted", "PostgresRow", "PostgresTransaction"]
