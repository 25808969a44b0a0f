"""The errors of the database package."""

import os
from pathlib import Path

from tetherpy.errors import ArgumentError, TetherError, clause


class DatabaseError(TetherError):
    """Base class of the errors of :mod:`tetherpy.database`.

    They report problems of the file, the server, locks, the disk and the use of the API. Errors of a statement (a
    violated constraint, a mistake in the SQL) stay exceptions of the driver: ``sqlite3`` or ``psycopg``.
    """


class DatabaseArgumentError(DatabaseError, ArgumentError):
    """Raised when a parameter has a wrong type or is out of its bounds, or a statement and its values do not fit."""


class DatabaseOpenError(DatabaseError):
    """The database could not be opened."""

    def __init__(self, path: Path, reason: str, advice: str) -> None:
        super().__init__(f"cannot open the database {str(path)!r}: {reason}; {advice}")
        self.path = path
        self.reason = reason


class DatabaseFolderMissingError(DatabaseOpenError):
    """The folder that should hold the database does not exist."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            f"the folder {str(path.parent)!r} does not exist",
            "create it first (tetherpy does not, so that a mistyped path does not start an empty database)",
        )


class NotADatabaseError(DatabaseOpenError):
    """The file is not an SQLite database, or it is encrypted."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "the file is not an SQLite database", "check the path; the file has not been changed")


class DatabaseCorruptError(DatabaseError):
    """SQLite found the file damaged."""

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(
            f"the database {str(path)!r} is damaged ({detail}); stop every process that uses it, keep a copy, and "
            "restore a backup or salvage it with `sqlite3 file .recover`"
        )
        self.path = path
        self.detail = detail


class DatabaseReadOnlyError(DatabaseError):
    """This process may not write to the file, its folder or its file system, or to the server."""

    def __init__(self, path: Path | str) -> None:
        advice = (
            "SQLite's write-ahead log needs write access to the file and to its folder: check owner, mode and mount"
            if isinstance(path, Path)
            else "the server is a standby, or default_transaction_read_only is on: connect to the primary, or turn the "
            "setting off for the role and the database"
        )
        super().__init__(f"this process cannot write to the database {str(path)!r}; {advice}")
        self.path = path


class DatabaseLockedError(DatabaseError):
    """Another connection held a lock for too long: the write lock of a file, or the lock of a row or table.

    ``busy_timeout`` is the wait in seconds; None if it is the ``lock_timeout`` of the server's role or session.
    """

    def __init__(self, path: Path | str, busy_timeout: float | None) -> None:
        wait = "longer than lock_timeout allows" if busy_timeout is None else f"{busy_timeout:g} s"
        super().__init__(
            f"another connection kept the database {str(path)!r} locked for {wait}; nothing was written: "
            "find the process that holds a write transaction open, and try again (an SQLite file can be opened with "
            "a longer busy_timeout)"
        )
        self.path = path
        self.busy_timeout = busy_timeout


class TransactionConflictError(DatabaseError):
    """The server rolled the transaction back because it conflicts with another one: a deadlock, or serialization."""

    def __init__(self, address: str, detail: str) -> None:
        super().__init__(
            f"{address} rolled the transaction back because it conflicts with another one ({clause(detail.strip())}); "
            "nothing was written: run the whole transaction again. Transactions that lock rows, and enqueue unique "
            "keys, in the same order do not deadlock"
        )
        self.address = address
        self.detail = detail


class StatementTimeoutError(DatabaseError, TimeoutError):
    """The server cancelled a statement, because of its ``statement_timeout`` or because an administrator asked."""

    def __init__(self, address: str, detail: str) -> None:
        super().__init__(
            f"{address} cancelled a statement ({clause(detail.strip())}); its transaction is rolled back: run it again "
            "with less work, or raise statement_timeout for the role"
        )
        self.address = address
        self.detail = detail


class DiskFullError(DatabaseError):
    """A write failed because the disk, a quota or a file size limit is full. The transaction was rolled back."""

    def __init__(self, path: Path | str, detail: str) -> None:
        super().__init__(
            f"could not write to the database {str(path)!r} ({detail}); the transaction was rolled back, and earlier "
            "commits are intact: free space (disk, quota, file size limit) and try again"
        )
        self.path = path
        self.detail = detail


class DatabaseIOError(DatabaseError):
    """The operating system failed to read, write, lock or sync the file."""

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(
            f"the operating system reported an error on the database {str(path)!r} ({detail}); the transaction was "
            "rolled back: check the disk and the system log before you try again"
        )
        self.path = path
        self.detail = detail


class DatabaseClosedError(DatabaseError):
    """The database was closed before or during the call."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(
            f"the database {str(path)!r} is closed, so the call did nothing: keep the database open while it is in use"
        )
        self.path = path


class DatabaseReplacedError(DatabaseError):
    """The file was deleted, moved or replaced while it was open; the open connections are of no further use."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"the database file {str(path)!r} was deleted or replaced while process {os.getpid()} had it open; "
            "nothing was written: open the database again, and stop the processes that use a database before you "
            "delete, move or restore it"
        )
        self.path = path
        self.pid = os.getpid()


class DatabaseAddressError(DatabaseOpenError):
    """The address is not one of a database; ``address`` is without its password."""

    def __init__(self, address: str, reason: str | None = None) -> None:
        self.reason = reason or "it is not the address of a database"
        DatabaseError.__init__(
            self,
            f"cannot open the database {address!r}: {self.reason}; give the path of an SQLite file, or a URL such as "
            "postgresql://user@host:5432/name in which all characters except letters and digits are percent-encoded",
        )
        self.address = address
        self.path = Path(address)


class PostgresMissingError(DatabaseError, ImportError):
    """The driver for PostgreSQL is not installed."""

    def __init__(self) -> None:
        super().__init__("PostgreSQL needs the extra 'postgres': pip install 'tetherpy[postgres]'.")


class DatabaseUnavailableError(DatabaseError):
    """The server cannot be reached, or the connection to it was lost during the call."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(
            f"cannot reach the database {address} ({reason.strip()}); a write in progress may or may not have been "
            "committed: check, then try again when the server answers"
        )
        self.address = address
        self.reason = reason


class DatabasePrivilegeError(DatabaseError):
    """The role lacks a privilege that the call needs."""

    def __init__(self, address: str, detail: str) -> None:
        super().__init__(
            f"the role of {address} lacks a privilege ({detail.strip()}); nothing was written: GRANT it to the role. "
            "The role that creates the job tables needs USAGE and CREATE on their schema; other roles need USAGE on "
            "the schema and ALL on its tables and sequences"
        )
        self.address = address
        self.detail = detail


class DatabaseEncodingError(DatabaseError):
    """The encoding of the database has no code for a character of a text."""

    def __init__(self, address: str, detail: str) -> None:
        super().__init__(
            f"the encoding of {address} cannot store a text ({detail.strip()}); nothing was written: use a database "
            "with the encoding UTF8"
        )
        self.address = address
        self.detail = detail


class WrongLoopError(DatabaseError):
    """The database belongs to another event loop."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(
            f"the database {str(path)!r} was opened in another event loop; open one Database in each loop, "
            "in code that the loop runs"
        )
        self.path = path


class DatabaseForkedError(WrongLoopError):
    """A parent of this process had the database open when it forked."""

    def __init__(self, path: Path | str) -> None:
        DatabaseError.__init__(
            self,
            f"the database {str(path)!r} was open in the parent of process {os.getpid()} when the parent forked; "
            "locks and connections do not survive a fork, and using them here could lose what either process "
            "commits: start the process with multiprocessing's method 'spawn' "
            "(multiprocessing.get_context('spawn')), or fork before the database is opened",
        )
        self.path = path
        self.pid = os.getpid()


class RowNotFoundError(DatabaseError):
    """``get`` found no row."""

    def __init__(self, sql: str) -> None:
        super().__init__(
            f"no row for {sql!r}; use get_optional if the query may return no row",
        )
        self.sql = sql


class ReadTimeoutError(DatabaseError, TimeoutError):
    """A long read took longer than its time limit."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"a read was interrupted after {seconds:g} s, because it delays other reads and keeps the log from being "
            "reset; make it read fewer rows (jobs: filter by status, key, before_id or dates, with a limit)"
        )
        self.seconds = seconds


class WriteOnReaderError(DatabaseError):
    """A call that reads was given a statement that writes."""

    def __init__(self) -> None:
        super().__init__(
            "get, get_all, get_optional, read and watch use a connection that cannot write; "
            "use execute, execute_many, run or a transaction for statements that change something"
        )


class TransactionControlError(DatabaseError):
    """A function or statement tried to begin, commit or roll back the transaction it runs in."""

    def __init__(self) -> None:
        super().__init__(
            "statements inside run or a transaction must not BEGIN, COMMIT, ROLLBACK or use executescript: "
            "the database does that; use a savepoint or a nested transaction() to undo a part"
        )


class TransactionHeldError(DatabaseError):
    """The task has an open transaction and calls a method that commits separately: a deadlock with itself."""

    def __init__(self, call: str) -> None:
        super().__init__(
            f"{call} commits separately, but this task has an open transaction on the same database and would wait "
            "for itself forever; use the methods of the transaction (tx.run, tx.execute, ...), or pass it to the call "
            "if that takes one (transaction=tx)"
        )
        self.call = call


class TransactionNestedError(DatabaseError):
    """The task used the outer transaction while its nested one was open."""

    def __init__(self) -> None:
        super().__init__(
            "this transaction has a nested transaction open in the same task; use the nested one until it ends"
        )


class TransactionOverError(DatabaseError):
    """The transaction has ended, or SQLite rolled it back after an error."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the transaction is over ({reason}); nothing was written: begin a new one")
        self.reason = reason


class MigrationError(DatabaseError):
    """Base class of conflicts between the migrations in the code and those recorded in the database."""

    def __init__(self, namespace: str, version: int, what: str) -> None:
        super().__init__(f"migration {version} of {namespace!r} {what}")
        self.namespace = namespace
        self.version = version


class DuplicateMigrationError(MigrationError, ValueError):
    """Raised when two migrations of a namespace have the same number."""

    def __init__(self, namespace: str, version: int, first: str, second: str) -> None:
        super().__init__(
            namespace, version, f"exists twice: {first!r} and {second!r}; renumber the one that is not released"
        )
        self.names = (first, second)


class MigrationChangedError(MigrationError):
    """A migration was edited after it was applied."""

    def __init__(self, namespace: str, version: int, name: str) -> None:
        super().__init__(
            namespace,
            version,
            f"({name}) differs from the one that was applied to this database: its SQL was edited; "
            "restore it and put the change into a new migration",
        )
        self.name = name


class MigrationMissingError(MigrationError):
    """A migration was applied to the database and is missing in the code, which has later ones."""

    def __init__(self, namespace: str, version: int, name: str) -> None:
        super().__init__(
            namespace,
            version,
            f"({name}) was applied to this database but is missing from the code; put it back",
        )
        self.name = name


class MigrationOrderError(MigrationError):
    """The code has a migration that was never applied, while later ones were."""

    def __init__(self, namespace: str, version: int, newest: int) -> None:
        super().__init__(
            namespace,
            version,
            f"was never applied, but {newest} already is; give it a number above {newest}",
        )
        self.newest = newest


class SchemaNewerError(MigrationError):
    """Newer code has migrated the database."""

    def __init__(self, namespace: str, version: int, newest_known: int) -> None:
        super().__init__(
            namespace,
            version,
            f"was applied by newer code (this code knows migrations up to {newest_known}); "
            "run the newer code, or restore a backup from before the migration",
        )
        self.newest_known = newest_known


class MigrationFailedError(MigrationError):
    """The SQL of a migration failed; the migration was rolled back."""

    def __init__(self, namespace: str, version: int, name: str, detail: str) -> None:
        super().__init__(
            namespace, version, f"({name}) failed and was rolled back; earlier migrations stay applied: {detail}"
        )
        self.name = name
        self.detail = detail
