"""The errors of the database package; each message says what happened, why, and what to do."""

from tetherpy.facades import facade_dir

from .base import DatabaseArgumentError, DatabaseError
from .databases import (
    DatabaseAddressError,
    DatabaseClosedError,
    DatabaseCorruptError,
    DatabaseEncodingError,
    DatabaseFolderMissingError,
    DatabaseForkedError,
    DatabaseIOError,
    DatabaseLockedError,
    DatabaseOpenError,
    DatabasePrivilegeError,
    DatabaseReadOnlyError,
    DatabaseReplacedError,
    DatabaseUnavailableError,
    DiskFullError,
    NotADatabaseError,
    PostgresMissingError,
    SyncCallInLoopError,
    WrongLoopError,
)
from .migrations import (
    DuplicateMigrationError,
    MigrationChangedError,
    MigrationError,
    MigrationFailedError,
    MigrationMissingError,
    MigrationOrderError,
    SchemaNewerError,
)
from .statements import ReadTimeoutError, RowNotFoundError, StatementTimeoutError, WriteOnReaderError
from .transactions import (
    NotATransactionError,
    OtherDatabaseError,
    TransactionConflictError,
    TransactionControlError,
    TransactionHeldError,
    TransactionNestedError,
    TransactionOverError,
    TransactionUnusableError,
)

__all__ = [
    "DatabaseAddressError",
    "DatabaseArgumentError",
    "DatabaseClosedError",
    "DatabaseCorruptError",
    "DatabaseEncodingError",
    "DatabaseError",
    "DatabaseFolderMissingError",
    "DatabaseForkedError",
    "DatabaseIOError",
    "DatabaseLockedError",
    "DatabaseOpenError",
    "DatabasePrivilegeError",
    "DatabaseReadOnlyError",
    "DatabaseReplacedError",
    "DatabaseUnavailableError",
    "DiskFullError",
    "DuplicateMigrationError",
    "MigrationChangedError",
    "MigrationError",
    "MigrationFailedError",
    "MigrationMissingError",
    "MigrationOrderError",
    "NotADatabaseError",
    "NotATransactionError",
    "OtherDatabaseError",
    "PostgresMissingError",
    "ReadTimeoutError",
    "RowNotFoundError",
    "SchemaNewerError",
    "StatementTimeoutError",
    "SyncCallInLoopError",
    "TransactionConflictError",
    "TransactionControlError",
    "TransactionHeldError",
    "TransactionNestedError",
    "TransactionOverError",
    "TransactionUnusableError",
    "WriteOnReaderError",
    "WrongLoopError",
]

__dir__ = facade_dir(__all__)
