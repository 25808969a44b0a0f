"""SQLite for an asyncio app: transactions, migrations, and queries that live."""

from .applied import AppliedMigration, applied_migrations
from .connection import Parameters, Row
from .database import Database
from .errors import (
    DatabaseClosedError,
    DatabaseCorruptError,
    DatabaseError,
    DatabaseFolderMissingError,
    DatabaseIOError,
    DatabaseLockedError,
    DatabaseOpenError,
    DatabaseReadOnlyError,
    DiskFullError,
    MigrationChangedError,
    MigrationError,
    MigrationFailedError,
    MigrationMissingError,
    MigrationOrderError,
    NotADatabaseError,
    RowNotFoundError,
    SchemaNewerError,
    TransactionControlError,
    TransactionHeldError,
    TransactionNestedError,
    TransactionOverError,
    WriteOnReaderError,
    WrongLoopError,
)
from .migrations import Migration
from .statements import Executed
from .transaction import Transaction

__all__ = [
    "AppliedMigration",
    "Database",
    "DatabaseClosedError",
    "DatabaseCorruptError",
    "DatabaseError",
    "DatabaseFolderMissingError",
    "DatabaseIOError",
    "DatabaseLockedError",
    "DatabaseOpenError",
    "DatabaseReadOnlyError",
    "DiskFullError",
    "Executed",
    "Migration",
    "MigrationChangedError",
    "MigrationError",
    "MigrationFailedError",
    "MigrationMissingError",
    "MigrationOrderError",
    "NotADatabaseError",
    "Parameters",
    "Row",
    "RowNotFoundError",
    "SchemaNewerError",
    "Transaction",
    "TransactionControlError",
    "TransactionHeldError",
    "TransactionNestedError",
    "TransactionOverError",
    "WriteOnReaderError",
    "WrongLoopError",
    "applied_migrations",
]
