"""The tables of the app in a file: named when they are left, copied with their rows on request."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

import attrs
import psycopg

from tetherpy.database import PostgresTransaction, Transaction

from ..errors import CopyRefusedError

OURS = ("background_service_", "tetherpy_")
ROWS_AT_ONCE = 1_000

_INTEGERS = ("smallint", "integer", "bigint")
_FLOATS = ("real", "double precision")


@attrs.frozen
class Column:
    """A column as the file declares it; ``key`` is its position in the primary key, from 1, or 0."""

    name: str
    declared: str
    required: bool
    key: int


@attrs.frozen
class AppTable:
    """A table of the app in the file; ``order`` are the columns that its rows are read by."""

    name: str
    columns: tuple[Column, ...]
    order: tuple[str, ...]
    refers_to: frozenset[str]
    rows: int


def app_tables(connection: sqlite3.Connection) -> list[AppTable]:
    """Return the tables of a file that are the app's, each after those that it refers to."""
    listed = connection.execute("SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")
    own = {name: without_rowid for name, without_rowid in listed if not name.startswith(("sqlite_", *OURS))}
    tables = {name: _table(connection, name, without_rowid) for name, without_rowid in own.items()}
    graph = {name: table.refers_to & tables.keys() - {name} for name, table in sorted(tables.items())}
    try:
        return [tables[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError:
        return list(tables.values())


def chosen(tables: Iterable[AppTable], names: Collection[str]) -> list[AppTable]:
    """Return the tables with these names; raises ``CopyRefusedError`` for a name that the file does not have."""
    known = {table.name: table for table in tables}
    if unknown := sorted(set(names) - known.keys()):
        raise CopyRefusedError(
            f"the file has no table {', '.join(map(repr, unknown))} of the app",
            f"Its tables are: {', '.join(known) or 'none'}.",
        )
    return [table for name, table in known.items() if name in names]


async def copy_table(source: Transaction, target: PostgresTransaction, table: AppTable) -> None:
    """Copy all rows of a table; create it if the server does not have it.

    A created table has the columns, NOT NULL and the primary key of the file's. Raises ``CopyRefusedError`` for a
    table that has rows on the server, and for a value that does not fit.
    """
    name = f'"{_escaped(table.name)}"'
    columns = ", ".join(f'"{_escaped(column.name)}"' for column in table.columns)
    await target.execute(f"CREATE TABLE IF NOT EXISTS {name} ({', '.join(_definitions(table))})")
    count = (await target.get(f"SELECT count(*) AS n FROM {name}"))["n"]  # noqa: S608
    if count:
        raise CopyRefusedError(
            f"the server's table {table.name!r} is not empty",
            f"If an earlier copy wrote its {count:,} rows, leave it out of the tables; otherwise empty it first.",
        )
    types = await _types(target, table)
    try:
        async with target.connection.cursor() as cursor:
            statement: Any = f"COPY {name} ({columns}) FROM STDIN"
            async with cursor.copy(statement) as copy:
                async for row in _rows(source, table, columns):
                    values = zip(table.columns, row, strict=True)
                    await copy.write_row([_fitting(table, column.name, value, types) for column, value in values])
    except psycopg.DataError as error:
        raise _unfit(table.name, str(error).partition("\n")[0]) from error
    numbered = [column.name for column in table.columns if table.rows and types[column.name] in _INTEGERS]
    for column in numbered:
        await target.execute(
            f'SELECT setval(sequence, (SELECT max("{_escaped(column)}") FROM {name})) '  # noqa: S608
            "FROM pg_get_serial_sequence(?, ?) AS sequence WHERE sequence IS NOT NULL",
            (name, column),
        )


def _table(connection: sqlite3.Connection, name: str, without_rowid: int) -> AppTable:
    # Generated and hidden columns are left: hidden is not 0 for them.
    rows = connection.execute("SELECT name, type, [notnull], pk FROM pragma_table_xinfo(?) WHERE hidden = 0", (name,))
    columns = tuple(Column(column, declared, bool(required), key) for column, declared, required, key in rows)
    references = connection.execute('SELECT "table" FROM pragma_foreign_key_list(?)', (name,))
    refers_to = frozenset(other for (other,) in references)
    order = tuple(_primary_key(columns)) if without_rowid else ("_rowid_",)
    (count,) = connection.execute(f'SELECT count(*) FROM "{_escaped(name)}"').fetchone()  # noqa: S608
    return AppTable(name, columns, order, refers_to, count)


def _primary_key(columns: Iterable[Column]) -> list[str]:
    return [column.name for column in sorted(columns, key=lambda column: column.key) if column.key]


def _escaped(name: str) -> str:
    return name.replace('"', '""')


def _definitions(table: AppTable) -> Iterator[str]:
    key = _primary_key(table.columns)
    for column in table.columns:
        identity = key == [column.name] and column.declared.upper() == "INTEGER"
        yield (
            f'"{_escaped(column.name)}" {_server_type(column.declared)}'
            f"{' GENERATED BY DEFAULT AS IDENTITY' if identity else ''}{' NOT NULL' if column.required else ''}"
        )
    if key:
        names = ", ".join(f'"{_escaped(name)}"' for name in key)
        yield f"PRIMARY KEY ({names})"


def _server_type(declared: str) -> str:
    """Return the type of PostgreSQL for one that SQLite accepts; dates stay the text that SQLite stores."""
    name = declared.upper()
    for parts, server_type in (
        (("BOOL",), "boolean"),
        (("INT",), "bigint"),
        (("CHAR", "CLOB", "TEXT", "DATE", "TIME"), "text"),
        (("BLOB",), "bytea"),
        (("REAL", "FLOA", "DOUB"), "double precision"),
        (("NUM", "DEC"), "numeric"),
    ):
        if any(part in name for part in parts):
            return server_type
    return "text"


async def _types(transaction: PostgresTransaction, table: AppTable) -> Mapping[str, str]:
    rows = await transaction.get_all(
        "SELECT attname, format_type(atttypid, NULL) AS type FROM pg_attribute "
        "WHERE attrelid = ?::regclass AND attnum > 0 AND NOT attisdropped",
        (f'"{_escaped(table.name)}"',),
    )
    types = {row["attname"]: row["type"] for row in rows}
    if missing := [column.name for column in table.columns if column.name not in types]:
        raise CopyRefusedError(
            f"the server's table {table.name!r} has no column {', '.join(map(repr, missing))}",
            "Apply the migrations of the app to the server, then run the copy again.",
        )
    return types


async def _rows(source: Transaction, table: AppTable, columns: str) -> AsyncIterator[tuple[Any, ...]]:
    keys = ", ".join(f'"{_escaped(name)}"' for name in table.order)
    marks = ", ".join("?" * len(table.order))

    def page(connection: sqlite3.Connection, after: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        where = f"WHERE ({keys}) > ({marks})" if after else ""
        query = f'SELECT {keys}, {columns} FROM "{_escaped(table.name)}" {where} ORDER BY {keys} LIMIT ?'  # noqa: S608
        return [tuple(row) for row in connection.execute(query, (*after, ROWS_AT_ONCE))]

    after: tuple[Any, ...] = ()
    try:
        while rows := await source.run(page, after):
            for row in rows:
                yield row[len(table.order) :]
            after = rows[-1][: len(table.order)]
    except sqlite3.OperationalError as error:  # text that is not UTF-8
        raise _unfit(table.name, str(error)) from error


def _fitting(table: AppTable, column: str, value: Any, types: Mapping[str, str]) -> Any:
    """Return a value as the server's type: SQLite stores any type in any column."""
    server_type = types[column]
    match value:
        case None:
            return None
        case int() if server_type == "boolean" and value in (0, 1):
            return bool(value)
        case int() if server_type in _INTEGERS:
            return value
        case int() | float() if server_type in _FLOATS:
            return float(value)
        case bytes() if server_type == "bytea":
            return value
        case str() if server_type == "bytea":
            return value.encode()
        case str() | int() | float() if server_type not in (*_INTEGERS, *_FLOATS, "boolean"):
            return str(value)
        case _:
            raise _unfit(table.name, f"column {column!r} is {server_type} and has the value {value!r:.80}")


def _unfit(table: str, what: str) -> CopyRefusedError:
    return CopyRefusedError(
        f"table {table!r} has a row that does not fit: {what}",
        "Repair the row, or create the table on the server with fitting types, then run the copy again.",
    )
