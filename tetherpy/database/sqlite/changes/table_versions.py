"""Table versions: a counter per table that tells which tables changed since the last poll.

Every commit through :class:`~tetherpy.database.Database` raises the version of each table it changed, in a small
table of the same file and in the same transaction. So a version is atomic with its change, there is nothing to
prune, and it costs about three microseconds. A poll compares the versions with those of the last poll, so it does not
matter how many commits or wake-ups were missed in between.

Other programs write without raising a version. ``PRAGMA data_version`` (sqlite.org/pragma.html) changes after each
commit of another connection. If it changed and no version did, an unknown program wrote: all tables are reported. If
both changed, an unknown program may have written too: within a second one poll reports all tables. So a report may
name too many tables, never too few.

Triggers would be exact for unknown programs too, but they more than halve the speed of bulk inserts and add three
objects per table to the user's schema.
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
#: How long, in seconds, the commit of an unknown program may stay hidden behind a known commit.
HIDDEN_WRITER_SECONDS = 1.0
EVERY_TABLE = "*"
"""The version of this name is raised by a transaction whose changes are not known in full."""
_ALL = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')"


def create(connection: TrackedConnection) -> None:
    """Create the table of versions unless it exists."""
    connection.execute(_CREATE)


def record(connection: sqlite3.Connection, tables: set[str]) -> None:
    """Raise the versions of ``tables`` in the open transaction."""
    connection.executemany(_RAISE, [(table,) for table in tables])


def raised(table: str) -> str:
    """Return SQL that raises the version of an internal table; its name needs no escaping."""
    return _RAISE.replace("?", f"'{table}'")


def all_tables(connection: TrackedConnection) -> frozenset[str]:
    """Return the names of all tables and views, the schema table included."""
    return frozenset(row[0] for row in connection.execute(_ALL)) | {SCHEMA_TABLE}


@attrs.define
class TableVersions:
    """The versions that one reader has seen; used only in the thread of the reader."""

    _data_version: int = -1
    _counters: dict[str, int] = attrs.Factory(dict[str, int])
    _hidden_writer_since: float | None = None

    def start(self, connection: TrackedConnection) -> None:
        """Take the current versions as seen."""
        self.poll(connection, 0.0)
        self._hidden_writer_since = None

    def poll(self, connection: TrackedConnection, now: float) -> frozenset[str]:
        """Return the tables that changed since the last poll; ``now`` is the time in seconds of any clock."""
        due = self._hidden_writer_since is not None and now - self._hidden_writer_since >= HIDDEN_WRITER_SECONDS
        if due:
            self._hidden_writer_since = None
        if self._read_data_version(connection) == self._data_version:
            return all_tables(connection) if due else frozenset()
        # Both in one snapshot: a commit between them would look like one of an unknown program.
        with connection.snapshot():
            counters = {row[0]: row[1] for row in connection.execute(_READ)}
            data_version = self._read_data_version(connection)
        seen, self._counters, self._data_version = self._counters, counters, data_version
        changed = frozenset(table for table, version in counters.items() if seen.get(table) != version)
        if changed and self._hidden_writer_since is None:
            self._hidden_writer_since = now
        known = changed and not due and EVERY_TABLE not in changed
        return changed if known else all_tables(connection)

    def _read_data_version(self, connection: sqlite3.Connection) -> int:
        version: int = connection.execute("PRAGMA data_version").fetchone()[0]
        return version
