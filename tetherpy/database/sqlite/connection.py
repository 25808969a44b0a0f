"""The ``sqlite3`` connection of the writer and the readers, and its configuration."""

import contextlib
import sqlite3
import weakref
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias, cast

import attrs

from ..errors import DatabaseOpenError, TransactionOverError
from .busy_timeout import BUSY_SLICE_MS, within_busy_timeout
from .changes.table_access import SCHEMA_TABLE, TableAccessCache

Row: TypeAlias = sqlite3.Row
"""A row, read by name, by index or by iteration; ``dict(row)`` copies it."""
Parameters: TypeAlias = Sequence[Any] | Mapping[str, Any]
"""Values for ``?`` or for ``:name``."""
Synchronous: TypeAlias = Literal["OFF", "NORMAL", "FULL", "EXTRA"]

ROLLED_BACK = "SQLite rolled it back after an earlier error"
LARGE_LOG_BYTES = 32 * 1024 * 1024
"""A larger log is reset."""
KEPT_LOG_BYTES = LARGE_LOG_BYTES // 2
"""The file of a reset log is truncated to this size, which is below ``LARGE_LOG_BYTES``."""


@attrs.frozen
class Returned:
    """The result of a function, with the method of a cursor that aiosqlite calls."""

    value: Any

    def fetchall(self) -> Any:
        """Return the function's result."""
        return self.value


class TrackedCursor(sqlite3.Cursor):
    """A cursor that records which tables its statements changed."""

    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        """Execute one statement, as ``sqlite3`` does."""
        return self._track(sql, super().execute, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Self:
        """Execute one statement for each set of parameters, as ``sqlite3`` does."""
        return self._track(sql, super().executemany, parameters)

    def _track(self, sql: str, execute: Callable[[str, Any], Self], parameters: Any) -> Self:
        connection = cast("TrackedConnection", self.connection)
        if connection.table_accesses.guarded and not connection.in_transaction:
            # SQLite rolled back and the caller ignored the error: this statement would be committed alone.
            raise TransactionOverError(ROLLED_BACK)
        writes = connection.table_accesses.of(sql).writes
        before = connection.total_changes
        try:
            return execute(sql, parameters)
        finally:
            if self.description is not None:
                connection.unfinished.add(self)
            if writes:
                # A statement that fails midway (OR FAIL) has changed rows too. DDL does not count rows.
                if connection.total_changes != before or SCHEMA_TABLE in writes:
                    connection.table_accesses.changed |= writes
                elif self.description is not None:
                    connection.table_accesses.undecided |= writes


class TrackedConnection(sqlite3.Connection):
    """A connection that records the tables its transaction changed, and that runs a function in one hop.

    aiosqlite cannot run an arbitrary function on its thread, but it calls ``execute(...).fetchall()`` there. So a
    callable that is passed as ``sql`` is called with this connection (aiosqlite's ``factory=`` allows this).
    """

    table_accesses: TableAccessCache
    #: Cursors and blobs that a caller may have left half-read; each would block a commit.
    unfinished: "weakref.WeakSet[sqlite3.Cursor | sqlite3.Blob]"

    def execute(self, sql: Any, parameters: Any = (), /) -> Any:
        """Execute one statement, or call a function with this connection and ``parameters``."""
        if isinstance(sql, str):
            return self.cursor().execute(sql, parameters)
        return Returned(sql(self, *parameters))

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Any:
        """Execute one statement for each set of parameters with a cursor that tracks, unlike sqlite3's method."""
        return self.cursor().executemany(sql, parameters)

    def cursor(self, factory: Any = TrackedCursor) -> Any:
        """Return a cursor; one of another factory tracks only if that derives from :class:`TrackedCursor`."""
        return super().cursor(factory)

    def blobopen(
        self, table: str, column: str, row: int, /, *, readonly: bool = False, name: str = "main"
    ) -> sqlite3.Blob:
        """Open a blob; a writable one counts as a change, because SQLite does not report writes to blobs."""
        if not readonly:
            self.table_accesses.changed.add(table)
        blob = super().blobopen(table, column, row, readonly=readonly, name=name)
        self.unfinished.add(blob)
        return blob

    def control(self, sql: str) -> Any:
        """Execute a statement that callers may not, and return its first value.

        The comment makes the text unique, so that the cache of compiled statements never serves it to a caller.
        """
        row = super().cursor(sqlite3.Cursor).execute(f"{sql} /* tetherpy */").fetchone()
        return None if row is None else row[0]

    @contextlib.contextmanager
    def snapshot(self) -> Generator[None]:
        """Run the queries of the block in one read transaction."""
        self.control("BEGIN")
        try:
            yield
        finally:
            if self.in_transaction:
                self.control("ROLLBACK")

    @contextlib.contextmanager
    def guard(self) -> Generator[None]:
        """Forbid the statements of a caller to end the shared transaction, and close the ones it left open."""
        self.table_accesses.guarded = True
        try:
            yield
        finally:
            self.table_accesses.guarded = False
            for open_ in tuple(self.unfinished):
                open_.close()
            self.unfinished.clear()


def configure(connection: sqlite3.Connection, busy_timeout: float) -> None:
    """Configure any connection; raises ``sqlite3.DatabaseError`` if the file is not a database."""
    assert isinstance(connection, TrackedConnection)  # sqlite3.connect(factory=TrackedConnection) made it
    connection.row_factory = sqlite3.Row
    connection.table_accesses = TableAccessCache()
    connection.unfinished = weakref.WeakSet()
    connection.set_authorizer(connection.table_accesses.authorize)
    connection.control("PRAGMA foreign_keys = ON")
    within_busy_timeout(lambda: connection.control("PRAGMA schema_version"), busy_timeout)


def configure_writer(connection: TrackedConnection, path: Path, synchronous: Synchronous, busy_timeout: float) -> None:
    """Switch the database to WAL permanently, and configure the connection for writing."""
    connection.control(f"PRAGMA busy_timeout = {min(BUSY_SLICE_MS, round(busy_timeout * 1000))}")
    if connection.control("PRAGMA page_count") == 0:
        # Possible only while the file is empty; see .free_space.
        within_busy_timeout(lambda: connection.control("PRAGMA auto_vacuum = INCREMENTAL"), busy_timeout)
    mode = within_busy_timeout(lambda: connection.control("PRAGMA journal_mode = WAL"), busy_timeout)
    if mode != "wal":
        raise DatabaseOpenError(
            path, f"its file system does not support WAL (SQLite stays in mode {mode!r})", "use a local disk"
        )
    connection.control(f"PRAGMA synchronous = {synchronous}")
    connection.control(f"PRAGMA journal_size_limit = {KEPT_LOG_BYTES}")


def configure_reader(connection: TrackedConnection, busy_timeout: float) -> None:
    """Configure the connection for reading; in WAL mode it waits for a lock rarely, such as during recovery."""
    connection.control(f"PRAGMA busy_timeout = {round(busy_timeout * 1000)}")
    connection.control("PRAGMA query_only = ON")
