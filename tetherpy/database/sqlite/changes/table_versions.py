"""Which tables changed since one last looked, whoever committed.

Every commit made through :class:`~tetherpy.database.Database` raises a counter for each table it changed,
in a small table of the same file and in the same transaction: atomic with the change, nothing to prune, one
row per table however many commits, about three microseconds. Looking compares the counters with those seen
before, so it does not matter how many commits or wake-ups were missed in between.

Other programs write too and raise no counter. ``PRAGMA data_version`` (sqlite.org/pragma.html) moves on any
commit by another connection. Moved without a counter means an unknown writer: every table may have changed
and all are named. Moved with a counter may hide such a writer behind a known one; that is settled within a
second, by a look that names all tables once. Too many tables may be named, never too few.

Triggers would tell exactly, for unknown writers also, but they cost more than half of the speed of bulk
inserts and put three objects beside each table of the user's schema.
"""

import sqlite3

import attrs

from ..connection import TrackedConnection
from .table_access import CHANGES_TABLE, SCHEMA_TABLE

_CREATE = (
    f"CREATE TABLE IF NOT EXISTS {CHANGES_TABLE} (table_name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID"
)
_RAISE = (
    f"INSERT INTO {CHANGES_TABLE} (table_name, version) VALUES (?, 1) "  # noqa: S608  # a constant
    "ON CONFLICT (table_name) DO UPDATE SET version = version + 1"
)
_READ = f"SELECT table_name, version FROM {CHANGES_TABLE}"  # noqa: S608  # a constant
#: How long, in seconds, an unknown writer's commit may hide behind a known one.
HIDDEN_WRITER_SECONDS = 1.0
_ALL = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')"


def create(connection: TrackedConnection) -> None:
    """Create the table of counters, if it is not there."""
    connection.execute(_CREATE)


def record(connection: TrackedConnection, tables: set[str]) -> None:
    """Raise the counters of ``tables`` inside the open transaction."""
    connection.executemany(_RAISE, [(table,) for table in tables])


def raised(table: str) -> str:
    """Return SQL that raises the counter of a table of ours; its name needs no escaping."""
    return _RAISE.replace("?", f"'{table}'")


def all_tables(connection: TrackedConnection) -> frozenset[str]:
    """Name everything that can be read from, the schema itself included."""
    return frozenset(row[0] for row in connection.execute(_ALL)) | {SCHEMA_TABLE}


@attrs.define
class TableVersions:
    """What one reader has seen; used on the reader's thread alone."""

    _data_version: int = -1
    _counters: dict[str, int] = attrs.Factory(dict[str, int])
    _hidden_writer_since: float | None = None

    def start(self, connection: TrackedConnection) -> None:
        """Take the state of now as seen."""
        self.poll(connection, 0.0)
        self._hidden_writer_since = None

    def poll(self, connection: TrackedConnection, now: float) -> frozenset[str]:
        """Return the tables changed since the last look; ``now`` is any clock's seconds."""
        due = self._hidden_writer_since is not None and now - self._hidden_writer_since >= HIDDEN_WRITER_SECONDS
        if due:
            self._hidden_writer_since = None
        if self._read_data_version(connection) == self._data_version:
            return all_tables(connection) if due else frozenset()
        # One snapshot for both, or a commit between them would look like an unknown writer's.
        with connection.snapshot():
            counters = {row[0]: row[1] for row in connection.execute(_READ)}
            data_version = self._read_data_version(connection)
        seen, self._counters, self._data_version = self._counters, counters, data_version
        changed = frozenset(table for table, version in counters.items() if seen.get(table) != version)
        if changed and self._hidden_writer_since is None:
            self._hidden_writer_since = now
        return changed if changed and not due else all_tables(connection)

    def _read_data_version(self, connection: sqlite3.Connection) -> int:
        version: int = connection.execute("PRAGMA data_version").fetchone()[0]
        return version
