"""The tables that a statement reads and writes, reported by SQLite's authorizer.

SQLite calls the authorizer while it compiles a statement and names every table that the statement will use, those
behind views, triggers and foreign key actions included (sqlite.org/c3ref/set_authorizer.html). Python keeps compiled
statements in an LRU cache by their text, and a cached statement is not reported again. So the tables are cached by
text too, in a larger LRU cache: it has an entry for each statement that Python still has compiled. When a schema
change makes SQLite compile a statement again, tables are only added to its entry.
"""

import re
import sqlite3
from collections import OrderedDict

import attrs

#: The schema table under the name that the authorizer uses; DDL writes to it.
SCHEMA_TABLE = "sqlite_master"
#: The table versions (see :mod:`.table_versions`); their changes are not reported.
CHANGES_TABLE = "tetherpy_changes"
CACHED_STATEMENTS = 256
_KEPT = 4 * CACHED_STATEMENTS
_DDL = re.compile(r"(?:[\s;]|--[^\n]*\n|/\*.*?\*/)*(?:CREATE|DROP|ALTER)\b", re.IGNORECASE | re.DOTALL)


@attrs.define
class TableAccess:
    """The tables that one statement reads and writes."""

    reads: set[str] = attrs.Factory(set[str])
    writes: set[str] = attrs.Factory(set[str])
    #: Compiling the first use of a table-valued function such as json_each also reports a write to the schema table;
    #: only DDL changes the schema.
    is_ddl: bool = False


@attrs.define
class TableAccessCache:
    """The authorizer of one connection; used only in the thread of that connection."""

    #: Tables that were certainly changed since the transaction began.
    changed: set[str] = attrs.Factory(set[str])
    #: Tables of statements with RETURNING: SQLite counts their changes only after all rows were fetched.
    undecided: set[str] = attrs.Factory(set[str])
    _changes_at_begin: int = 0
    #: True while statements of a caller run: they must not end the transaction that they share.
    guarded: bool = False
    _current: TableAccess = attrs.Factory(TableAccess)
    _known: OrderedDict[str, TableAccess] = attrs.Factory(OrderedDict[str, TableAccess])

    def begin(self, total_changes: int) -> None:
        """Reset the changed tables for a new transaction."""
        self.changed.clear()
        self.undecided.clear()
        self._changes_at_begin = total_changes

    def changed_tables(self, total_changes: int) -> set[str]:
        """Return the tables that the transaction changed; the undecided ones too if it changed any row."""
        if self.undecided and total_changes != self._changes_at_begin:
            self.changed |= self.undecided
        return self.changed

    def of(self, sql: str) -> TableAccess:
        """Return the table access of ``sql``; the authorizer adds to it from now on."""
        known = self._known
        table_access = known.get(sql)
        if table_access is None:
            table_access = known[sql] = TableAccess(is_ddl=_DDL.match(sql) is not None)
            if len(known) > _KEPT:
                known.popitem(last=False)
        else:
            known.move_to_end(sql)
        self._current = table_access
        return table_access

    def authorize(
        self, action: int, first: str | None, second: str | None, schema: str | None, source: str | None
    ) -> int:
        """Record the tables of ``main`` that a statement uses; deny transaction control by callers."""
        if action == sqlite3.SQLITE_READ:
            # For count(*) the schema name is missing. A table of another schema is harmless here.
            if first is not None:
                self._current.reads.add(first)
        elif action in (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE):
            if first is None or schema != "main" or first == CHANGES_TABLE:
                return sqlite3.SQLITE_OK
            if first != SCHEMA_TABLE or self._current.is_ddl:
                self._current.writes.add(first)
        elif action == sqlite3.SQLITE_TRANSACTION and self.guarded:
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK
