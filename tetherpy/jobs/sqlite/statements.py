"""This engine's statements, read once, and their execution on rows that may hold text that is not UTF-8."""

from __future__ import annotations

import sqlite3
from typing import Any

from ..status import BackgroundJobStatus
from ..storage.columns import OPTION_COLUMNS
from ..storage.row_decoding import Row
from ..storage.sql_files import read_statements
from ..transitions import AFTER_RELEASE, AFTER_RESCUE, case_of, rescue_error_sql

_NAMES = {status: status.value for status in BackgroundJobStatus}
_TEXTS = read_statements(
    __file__,
    {
        "status_after_release": case_of(AFTER_RELEASE, _NAMES),
        "status_after_rescue": case_of(AFTER_RESCUE, _NAMES),
        "rescue_error": rescue_error_sql(":outcome"),
        "option_columns": ", ".join(OPTION_COLUMNS),
        "option_values": ", ".join("?" * len(OPTION_COLUMNS)),
    },
)


def sql(name: str) -> str:
    """Return the text of the statement in ``sql/<name>.sql``."""
    return _TEXTS[name]


def fetch(connection: sqlite3.Connection, query: str, values: Any) -> list[Row]:
    """Execute a query; bytes that are not UTF-8 come as escapes.

    Python's ``sqlite3`` raises for the whole result because of one such row, so it is asked again.
    """
    try:
        return _fetch_tuples(connection, query, values)
    except sqlite3.OperationalError as error:
        if "decode" not in str(error):
            raise
        return fetch_changed(connection, query, values)


def fetch_changed(connection: sqlite3.Connection, statement: str, values: Any) -> list[Row]:
    """Execute a statement that changes rows and returns them, as ``fetch`` does but only once."""
    usual = connection.text_factory
    connection.text_factory = _escaped
    try:
        return _fetch_tuples(connection, statement, values)
    finally:
        connection.text_factory = usual


def _fetch_tuples(connection: sqlite3.Connection, statement: str, values: Any) -> list[Row]:
    cursor = connection.cursor()
    cursor.row_factory = None
    return cursor.execute(statement, values).fetchall()


def _escaped(text: bytes) -> str:
    return text.decode(errors="backslashreplace")
