"""The ``sqlite3`` connection that both sides of a database use, and how it is set up."""

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
"""A row by name, by index and by iteration; ``dict(row)`` copies it."""
Parameters: TypeAlias = Sequence[Any] | Mapping[str, Any]
"""Values for ``?`` or for ``:name``."""
Synchronous: TypeAlias = Literal["OFF", "NORMAL", "FULL", "EXTRA"]

ROLLED_BACK = "SQLite rolled it back after an earlier error"
LARGE_LOG_BYTES = 32 * 1024 * 1024
"""A log that is larger is begun again."""
KEPT_LOG_BYTES = LARGE_LOG_BYTES // 2
"""The file of a log that was begun again is cut to this size; it must not look large."""


@attrs.frozen
class Returned:
    """What a function returned, dressed as the cursor that aiosqlite fetches from."""

    value: Any

    def fetchall(self) -> Any:
        """Return the function's result."""
        return self.value


class TrackedCursor(sqlite3.Cursor):
    """A cursor that notes which tables its statements changed."""

    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        """Execute one statement, as ``sqlite3`` does."""
        return self._track(sql, super().execute, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Self:
        """Execute one statement for each set of parameters, as ``sqlite3`` does."""
        return self._track(sql, super().executemany, parameters)

    def _track(self, sql: str, execute: Callable[[str, Any], Self], parameters: Any) -> Self:
        connection = cast("TrackedConnection", self.connection)
        if connection.table_accesses.guarded and not connection.in_transaction:
            # A caller that ignored the error with which SQLite rolled back: this would be committed alone.
            raise TransactionOverError(ROLLED_BACK)
        writes = connection.table_accesses.of(sql).writes
        before = connection.total_changes
        try:
            return execute(sql, parameters)
        finally:
            if self.description is not None:
                connection.unfinished.add(self)
            if writes:
                # A statement that failed half-way (OR FAIL) has changed rows too, and DDL counts none.
                if connection.total_changes != before or SCHEMA_TABLE in writes:
                    connection.table_accesses.changed |= writes
                elif self.description is not None:
                    connection.table_accesses.undecided |= writes


class TrackedConnection(sqlite3.Connection):
    """A connection that knows what its transaction changed and that runs a function in one hop.

    aiosqlite has no call for "run this function on the thread"; it does call ``execute(...).fetchall()``
    there, so a callable given as ``sql`` is called with this connection (its public ``factory=`` makes this
    possible).
    """

    table_accesses: TableAccessCache
    #: Cursors and blobs that a caller may have left half-read; each would keep a commit from happening.
    unfinished: "weakref.WeakSet[sqlite3.Cursor | sqlite3.Blob]"

    def execute(self, sql: Any, parameters: Any = (), /) -> Any:
        """Execute one statement, or call a function with this connection and ``parameters``."""
        if isinstance(sql, str):
            return self.cursor().execute(sql, parameters)
        return Returned(sql(self, *parameters))

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Any:
        """Execute one statement for each set of parameters; sqlite3's own would use a cursor that does not track."""
        return self.cursor().executemany(sql, parameters)

    def cursor(self, factory: Any = TrackedCursor) -> Any:
        """Return a cursor; a factory of your own tracks if it derives from :class:`TrackedCursor`."""
        return super().cursor(factory)

    def blobopen(
        self, table: str, column: str, row: int, /, *, readonly: bool = False, name: str = "main"
    ) -> sqlite3.Blob:
        """Open a blob; one opened for writing counts as a change, since SQLite announces none."""
        if not readonly:
            self.table_accesses.changed.add(table)
        blob = super().blobopen(table, column, row, readonly=readonly, name=name)
        self.unfinished.add(blob)
        return blob

    def control(self, sql: str) -> Any:
        """Execute what callers may not and return its value.

        The text is ours alone, so the cache of compiled statements never serves it to a caller.
        """
        row = super().cursor(sqlite3.Cursor).execute(f"{sql} /* tetherpy */").fetchone()
        return None if row is None else row[0]

    @contextlib.contextmanager
    def snapshot(self) -> Generator[None]:
        """Let all queries inside see the same moment."""
        self.control("BEGIN")
        try:
            yield
        finally:
            if self.in_transaction:
                self.control("ROLLBACK")

    @contextlib.contextmanager
    def guard(self) -> Generator[None]:
        """Let a caller's statements neither end the transaction they share nor outlive it."""
        self.table_accesses.guarded = True
        try:
            yield
        finally:
            self.table_accesses.guarded = False
            for open_ in tuple(self.unfinished):
                open_.close()
            self.unfinished.clear()


def configure(connection: sqlite3.Connection, busy_timeout: float) -> None:
    """Set up what both connections have in common; fails if the file is no database."""
    assert isinstance(connection, TrackedConnection)  # the factory's own promise
    connection.row_factory = sqlite3.Row
    connection.table_accesses = TableAccessCache()
    connection.unfinished = weakref.WeakSet()
    connection.set_authorizer(connection.table_accesses.authorize)
    connection.control("PRAGMA foreign_keys = ON")
    within_busy_timeout(lambda: connection.control("PRAGMA schema_version"), busy_timeout)


def configure_writer(connection: TrackedConnection, path: Path, synchronous: Synchronous, busy_timeout: float) -> None:
    """Make the database a WAL one (it stays so) and set what concerns writing."""
    connection.control(f"PRAGMA busy_timeout = {min(BUSY_SLICE_MS, round(busy_timeout * 1000))}")
    if connection.control("PRAGMA page_count") == 0:
        # Can only be chosen for a new file; see .free_space.
        within_busy_timeout(lambda: connection.control("PRAGMA auto_vacuum = INCREMENTAL"), busy_timeout)
    mode = within_busy_timeout(lambda: connection.control("PRAGMA journal_mode = WAL"), busy_timeout)
    if mode != "wal":
        raise DatabaseOpenError(
            path, f"its file system allows no write-ahead log (SQLite stays in mode {mode!r})", "use a local disk"
        )
    connection.control(f"PRAGMA synchronous = {synchronous}")
    connection.control(f"PRAGMA journal_size_limit = {KEPT_LOG_BYTES}")


def configure_reader(connection: TrackedConnection, busy_timeout: float) -> None:
    """Let the connection read only; in WAL it waits for a lock in rare moments alone, such as recovery."""
    connection.control(f"PRAGMA busy_timeout = {round(busy_timeout * 1000)}")
    connection.control("PRAGMA query_only = ON")
