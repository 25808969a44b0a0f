"""Which tables a statement reads and writes, as SQLite itself says.

SQLite calls the authorizer while it compiles a statement and names every table the program will touch,
those behind views, triggers and foreign key actions included (sqlite.org/c3ref/set_authorizer.html). Python
keeps compiled statements in a least-recently-used cache by their text, and a cached statement is not
announced again; so the footprint is kept by text too, in a cache of the same discipline that is larger:
whatever Python still has compiled, this has on record. When a schema change makes SQLite compile anew, the
footprint only grows.
"""

import re
import sqlite3
from collections import OrderedDict

import attrs

#: The schema table by the name that the authorizer uses; writing it is what DDL does.
SCHEMA_TABLE = "sqlite_master"
#: Our own counters (see :mod:`.changelog`): nobody is told that they changed.
CHANGES_TABLE = "tetherpy_changes"
CACHED_STATEMENTS = 256
_KEPT = 4 * CACHED_STATEMENTS
_DDL = re.compile(r"(?:[\s;]|--[^\n]*\n|/\*.*?\*/)*(?:CREATE|DROP|ALTER)\b", re.IGNORECASE | re.DOTALL)


@attrs.define
class TableAccess:
    """The tables that one statement reads and writes."""

    reads: set[str] = attrs.Factory(set[str])
    writes: set[str] = attrs.Factory(set[str])
    #: Only such a statement changes the schema: compiling the first use of json_each and the like asks for it too.
    is_ddl: bool = False


@attrs.define
class TableAccessCache:
    """The authorizer of one connection; used from that connection's thread alone."""

    #: Tables changed for certain since the transaction began.
    changed: set[str] = attrs.Factory(set[str])
    #: Tables of statements with RETURNING, whose changes SQLite counts only when all their rows were fetched.
    undecided: set[str] = attrs.Factory(set[str])
    _changes_at_begin: int = 0
    #: While a caller's statements run, they may not end the transaction they share with others.
    guarded: bool = False
    _current: TableAccess = attrs.Factory(TableAccess)
    _known: OrderedDict[str, TableAccess] = attrs.Factory(OrderedDict[str, TableAccess])

    def begin(self, total_changes: int) -> None:
        """Start the account of a transaction."""
        self.changed.clear()
        self.undecided.clear()
        self._changes_at_begin = total_changes

    def settle(self, total_changes: int) -> set[str]:
        """Return the tables that the transaction changed; the undecided among them if it changed anything."""
        if self.undecided and total_changes != self._changes_at_begin:
            self.changed |= self.undecided
        return self.changed

    def of(self, sql: str) -> TableAccess:
        """Make the footprint of ``sql`` the one that the authorizer adds to, and return it."""
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
        """Record the tables of ``main`` that a statement touches; deny transaction control by callers."""
        if action == sqlite3.SQLITE_READ:
            # The schema is not named for count(*); a table of another schema does no harm here.
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
