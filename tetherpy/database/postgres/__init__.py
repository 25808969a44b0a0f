"""A PostgreSQL database for an asyncio app, with the calls that ``Database`` has for SQLite."""

from .database import PostgresDatabase
from .rows import PostgresRow
from .transaction import PostgresExecuted, PostgresTransaction

__all__ = ["PostgresDatabase", "PostgresExecuted", "PostgresRow", "PostgresTransaction"]
