"""Errors about a database: its address, its file or server, its connections."""

import os
from pathlib import Path

from tetherpy.distribution import install_command
from tetherpy.errors import message

from .base import DatabaseError


@message("cannot open the database {path!q}: {reason}; {advice}")
class DatabaseOpenError(DatabaseError):
    """The database could not be opened."""

    path: Path
    reason: str
    advice: str


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


@message(
    "the database {path!q} is damaged ({detail}); stop every process that uses it, keep a copy, and "
    "restore a backup or salvage it with `sqlite3 file .recover`"
)
class DatabaseCorruptError(DatabaseError):
    """SQLite found the file damaged."""

    path: Path
    detail: str


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


@message(
    "could not write to the database {path!q} ({detail}); the transaction was rolled back, and earlier "
    "commits are intact: free space (disk, quota, file size limit) and try again"
)
class DiskFullError(DatabaseError):
    """A write failed because the disk, a quota or a file size limit is full. The transaction was rolled back."""

    path: Path | str
    detail: str


@message(
    "the operating system reported an error on the database {path!q} ({detail}); the transaction was "
    "rolled back: check the disk and the system log before you try again"
)
class DatabaseIOError(DatabaseError):
    """The operating system failed to read, write, lock or sync the file."""

    path: Path
    detail: str


@message("the database {path!q} is closed, so the call did nothing: keep the database open while it is in use")
class DatabaseClosedError(DatabaseError):
    """The database was closed before or during the call."""

    path: Path | str


class DatabaseReplacedError(DatabaseError):
    """The file was deleted, moved or replaced while it was open; the open connections can no longer be used."""

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


@message(f"PostgreSQL needs the extra 'postgres': {install_command('postgres')}.")
class PostgresMissingError(DatabaseError, ImportError):
    """The driver for PostgreSQL is not installed."""


@message(
    "cannot reach the database {address} ({reason!c}); a write in progress may or may not have been "
    "committed: check, then try again when the server answers"
)
class DatabaseUnavailableError(DatabaseError):
    """The server cannot be reached, or the connection to it was lost during the call."""

    address: str
    reason: str


@message(
    "the role of {address} lacks a privilege ({detail!c}); nothing was written: GRANT it. "
    "The role that creates the job tables needs USAGE and CREATE on their schema; other roles need USAGE on "
    "the schema and ALL on its tables and sequences"
)
class DatabasePrivilegeError(DatabaseError):
    """The role lacks a privilege that the call needs."""

    address: str
    detail: str


@message(
    "the encoding of {address} cannot store a text ({detail!c}); nothing was written: use a database "
    "with the encoding UTF8"
)
class DatabaseEncodingError(DatabaseError):
    """The encoding of the database has no code for a character of a text."""

    address: str
    detail: str


@message(
    "the database {path!q} was opened in another event loop; open one Database in each loop, in code that the loop runs"
)
class WrongLoopError(DatabaseError):
    """The database belongs to another event loop."""

    path: Path | str


@message(
    "a synchronous call was made in a thread that runs an event loop, which it would block; nothing was done: await "
    "the asynchronous class there (BackgroundJobManager, SqlDatabase, ServiceInstance), or make the call in another "
    "thread, with asyncio.to_thread. A plain function that calls an async handler is one too: declare it with async def"
)
class SyncCallInLoopError(DatabaseError):
    """A synchronous class, such as ``SyncJobManager``, was used in an event loop."""


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
