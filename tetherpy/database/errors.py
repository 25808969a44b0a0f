"""What the database reports, each error built from the data it keeps."""

import os
from pathlib import Path

from tetherpy.errors import ArgumentError, TetherError


class DatabaseError(TetherError):
    """Base of everything :mod:`tetherpy.database` raises by itself.

    Errors that a statement earns (a constraint, a typing mistake in SQL) stay the ``sqlite3`` exceptions
    that they are; what concerns the file, the lock, the disk or the way the API is used is one of these.
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
            "create it first (it is not created for you, so that a mistyped path does not start an empty database)",
        )


class NotADatabaseError(DatabaseOpenError):
    """The file has content that is not an SQLite database (or an encrypted one)."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "the file is not an SQLite database", "check the path; the file has not been changed")


class DatabaseCorruptError(DatabaseError):
    """SQLite found the file damaged."""

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(
            f"the database {str(path)!r} is damaged ({detail}); stop every process "
            "that uses it, keep a copy, "
            "and restore a backup or salvage it with `sqlite3 file .recover`"
        )
        self.path = path
        self.detail = detail


class DatabaseReadOnlyError(DatabaseError):
    """The file, its folder or its file system, or the server, does not let this process write."""

    def __init__(self, path: Path | str) -> None:
        advice = (
            "SQLite's write-ahead log needs write access to the file and to its folder: check owner, mode and mount"
            if isinstance(path, Path)
            else "the server is a standby, or default_transaction_read_only is on: connect to the primary, or set it "
            "to off for the role and the database"
        )
        super().__init__(f"the database {str(path)!r} cannot be written by this process; {advice}")
        self.path = path


class DatabaseLockedError(DatabaseError):
    """Another connection kept a lock for longer than ``busy_timeout``: a file's write lock, or a server's row."""

    def __init__(self, path: Path | str, busy_timeout: float) -> None:
        super().__init__(
            f"the database {str(path)!r} stayed locked by another connection for "
            f"{busy_timeout:g} s; nothing was "
            "written: find who holds a write transaction open and try again (a file can be opened with a longer "
            "busy_timeout)"
        )
        self.path = path
        self.busy_timeout = busy_timeout


class DiskFullError(DatabaseError):
    """A write found no room: disk, quota or file size limit. The transaction was rolled back."""

    def __init__(self, path: Path | str, detail: str) -> None:
        super().__init__(
            f"could not write to the database {str(path)!r} ({detail}); the "
            "transaction was rolled back and what "
            "was committed before is intact: make room (disk, quota, file size limit) and try again"
        )
        self.path = path
        self.detail = detail


class DatabaseIOError(DatabaseError):
    """The operating system failed to read, write, lock or sync the file."""

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(
            f"the operating system reported an error on the database {str(path)!r} "
            f"({detail}); the transaction "
            "was rolled back: look at the disk and the system's log before trying again"
        )
        self.path = path
        self.detail = detail


class DatabaseClosedError(DatabaseError):
    """The database was closed before or during the call."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(
            f"the database {str(path)!r} is closed; what this call asked for was not done: "
            "keep it open for as long as anything uses it"
        )
        self.path = path


class DatabaseReplacedError(DatabaseError):
    """The file was deleted, moved or replaced while it was open; nothing more can be done with what is open."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"the database file {str(path)!r} was deleted or replaced while process {os.getpid()} had it open; "
            "nothing was written: open the database again, and stop the processes that use a database before it "
            "is deleted, moved or restored"
        )
        self.path = path
        self.pid = os.getpid()


class DatabaseAddressError(DatabaseOpenError):
    """The address names no database that can be opened; ``address`` is without its password."""

    def __init__(self, address: str, reason: str | None = None) -> None:
        self.reason = reason or "it is no address of a database"
        DatabaseError.__init__(
            self,
            f"cannot open the database {address!r}: {self.reason}; give the path of an SQLite file, or a URL such as "
            "postgresql://user@host:5432/name with all but letters and digits percent-encoded",
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
            f"the database {address} cannot be reached ({reason.strip()}); a write that was under way may or may "
            "not have been done: look, then try again once the server answers"
        )
        self.address = address
        self.reason = reason


class DatabasePrivilegeError(DatabaseError):
    """The server's role may not do what a call needs."""

    def __init__(self, address: str, detail: str) -> None:
        super().__init__(
            f"the role of {address} lacks a privilege ({detail.strip()}); nothing was written: GRANT it to the role. "
            "The role that makes the job tables needs USAGE and CREATE on their schema; other roles need USAGE on the "
            "schema and ALL on its tables and sequences"
        )
        self.address = address
        self.detail = detail


class DatabaseEncodingError(DatabaseError):
    """The database's encoding lacks a character of a text."""

    def __init__(self, address: str, detail: str) -> None:
        super().__init__(
            f"the encoding of {address} cannot keep a text ({detail.strip()}); nothing was written: use a database "
            "whose encoding is UTF8"
        )
        self.address = address
        self.detail = detail


class WrongLoopError(DatabaseError):
    """The database belongs to another event loop."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(
            f"the database {str(path)!r} was opened in another event loop; open one Database per loop, "
            "inside the code that the loop runs"
        )
        self.path = path


class DatabaseForkedError(WrongLoopError):
    """The database was open in a parent of this process when the parent forked."""

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
            f"no row for {sql!r}; use get_optional if that is an answer and not a mistake",
        )
        self.sql = sql


class ReadTimeoutError(DatabaseError, TimeoutError):
    """A long read took more time than it was given."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"a read was ended after {seconds:g} s, so that it does not keep others and the log waiting; "
            "narrow what it looks at (jobs: by status, key, before_id or dates together with a limit)"
        )
        self.seconds = seconds


class WriteOnReaderError(DatabaseError):
    """A statement that writes was given to a call that reads."""

    def __init__(self) -> None:
        super().__init__(
            "get, get_all, get_optional, read and watch use a connection that cannot write; "
            "use execute, execute_many, run or a transaction for statements that change something"
        )


class TransactionControlError(DatabaseError):
    """A function or statement tried to begin, commit or roll back by itself."""

    def __init__(self) -> None:
        super().__init__(
            "statements inside run or a transaction must not BEGIN, COMMIT, ROLLBACK or use executescript: "
            "the database does that for them; use savepoints or a nested transaction() to undo a part"
        )


class TransactionHeldError(DatabaseError):
    """The calling task holds a transaction and asks for another commit, which would wait for itself."""

    def __init__(self, call: str) -> None:
        super().__init__(
            f"{call} commits on its own, but this task holds an open transaction on "
            "the same database and would "
            "wait for itself forever; use the transaction's own methods (tx.run, tx.execute, ...), or give it to "
            "the call if that takes one (transaction=tx)"
        )
        self.call = call


class TransactionNestedError(DatabaseError):
    """The outer transaction was used while this task has a nested one open."""

    def __init__(self) -> None:
        super().__init__(
            "this transaction has a nested transaction open in the same task; use the nested one until it ends"
        )


class TransactionOverError(DatabaseError):
    """The transaction has ended, or SQLite rolled it back after an error, so nothing more can join it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the transaction is over ({reason}); nothing was written, begin another one")
        self.reason = reason


class MigrationError(DatabaseError):
    """Base of what can be wrong between the code's migrations and the database's record of them."""

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
    """A migration was edited after it had been applied."""

    def __init__(self, namespace: str, version: int, name: str) -> None:
        super().__init__(
            namespace,
            version,
            f"({name}) is not the one that was applied to this database: its SQL has changed since; "
            "restore it and put the change into a new migration",
        )
        self.name = name


class MigrationMissingError(MigrationError):
    """The database has a migration between the code's own that the code does not have."""

    def __init__(self, namespace: str, version: int, name: str) -> None:
        super().__init__(
            namespace,
            version,
            f"({name}) was applied to this database but is missing from the code; put it back",
        )
        self.name = name


class MigrationOrderError(MigrationError):
    """The code has a migration that the database skipped: later ones were applied already."""

    def __init__(self, namespace: str, version: int, newest: int) -> None:
        super().__init__(
            namespace,
            version,
            f"was never applied, but {newest} already is; give it a number above {newest}",
        )
        self.newest = newest


class SchemaNewerError(MigrationError):
    """The database was migrated by newer code than this."""

    def __init__(self, namespace: str, version: int, newest_known: int) -> None:
        super().__init__(
            namespace,
            version,
            f"was applied by newer code (this code knows up to {newest_known}); "
            "run the newer code, or restore a backup from before it",
        )
        self.newest_known = newest_known


class MigrationFailedError(MigrationError):
    """A migration's SQL failed; it was rolled back whole."""

    def __init__(self, namespace: str, version: int, name: str, detail: str) -> None:
        super().__init__(namespace, version, f"({name}) failed and was rolled back, those before it are kept: {detail}")
        self.name = name
        self.detail = detail
