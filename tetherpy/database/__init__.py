"""Databases for asyncio apps: SQLite and PostgreSQL, with transactions, migrations and live queries."""

from importlib import import_module
from typing import TYPE_CHECKING

from tetherpy.facades import facade_dir

from . import errors
from .addresses import Address, is_postgres, is_url, redacted, sqlite_path
from .app_transactions.joined_sqlite import JoinedTransaction
from .app_transactions.recognition import AppTransaction
from .errors import *
from .migration_records import AppliedMigration, applied_migrations
from .migrations import Migration
from .read_only_connection import read_only
from .sql_database import SqlDatabase, SqlExecuted, SqlRow, SqlStatements, SqlTransaction
from .sqlite.connection import Parameters, Row
from .sqlite.database import Database
from .sqlite.execution import Executed
from .sqlite.free_space import INCREMENTAL_VACUUM, is_much_free_space
from .sqlite.transaction import Transaction
from .synchronous.derived import Synchronous, sync_form
from .synchronous.portal import Portal
from .synchronous.sync_database import SyncDatabase, SyncStatements, SyncTransaction

if TYPE_CHECKING:
    from .postgres import JoinedPostgres, PostgresDatabase, PostgresExecuted, PostgresRow, PostgresTransaction

__all__ = [
    "INCREMENTAL_VACUUM",
    "Address",
    "AppTransaction",
    "AppliedMigration",
    "Database",
    "Executed",
    "JoinedPostgres",
    "JoinedTransaction",
    "Migration",
    "Parameters",
    "Portal",
    "PostgresDatabase",
    "PostgresExecuted",
    "PostgresRow",
    "PostgresTransaction",
    "Row",
    "SqlDatabase",
    "SqlExecuted",
    "SqlRow",
    "SqlStatements",
    "SqlTransaction",
    "SyncDatabase",
    "SyncStatements",
    "SyncTransaction",
    "Synchronous",
    "Transaction",
    "applied_migrations",
    "is_much_free_space",
    "is_postgres",
    "is_url",
    "read_only",
    "redacted",
    "sqlite_path",
    "sync_form",
]
__all__ += errors.__all__

if not TYPE_CHECKING:  # type checkers report the names that are not public

    def __getattr__(name: str) -> object:
        # The extra `postgres` installs the driver. Apps that use SQLite do not need it.
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            postgres = import_module(".postgres", __name__)
        except ModuleNotFoundError as error:
            if error.name != "psycopg":
                raise
            raise PostgresMissingError from error
        value: object = getattr(postgres, name)
        globals()[name] = value
        return value


_OF_POSTGRES = ("JoinedPostgres", "PostgresDatabase", "PostgresExecuted", "PostgresRow", "PostgresTransaction")

__dir__ = facade_dir(__all__, dict.fromkeys(_OF_POSTGRES, "psycopg"))
