"""Rows as values: strict about types, since other programs may write to the table as well."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

import attrs

from ..errors import UnreadableJobError
from ..model import BackgroundJob
from ..statements import COLUMNS
from ..status import BackgroundJobStatus
from ..timestamps import from_text

Row: TypeAlias = tuple[Any, ...]

logger = logging.getLogger("tetherpy.jobs")

_MISFITS = (TypeError, ValueError, KeyError, OverflowError)
_STATUSES = {status.value: status for status in BackgroundJobStatus}


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


def to_job(row: Row) -> BackgroundJob:
    """Read a row whose columns are ``COLUMNS``; raise ``UnreadableJobError`` naming the bad column.

    NULL where the seed's table allows it means the column's default.
    """
    try:
        return BackgroundJob(**{field: read(value) for (field, read), value in zip(_READERS, row, strict=True)})
    except _MISFITS as error:
        raise _unreadable(row, error) from error


@attrs.define(eq=False)
class JobReader:
    """Turn rows into jobs, the same row into the same object for as long as anyone holds it.

    A live list is read again after every change, though few of its rows differ: this makes the
    rest cost neither building nor comparing. It keeps nothing alive by itself.
    """

    _jobs: WeakValueDictionary[Row, BackgroundJob] = attrs.Factory(WeakValueDictionary[Row, BackgroundJob])

    def read(self, rows: Iterable[Row]) -> list[BackgroundJob]:
        """Read rows, leaving out with a warning what cannot be read: one bad row must not hide the rest."""
        jobs: list[BackgroundJob] = []
        for row in rows:
            job = self._jobs.get(row)
            if job is None:
                try:
                    job = to_job(row)
                except UnreadableJobError as error:
                    logger.warning("%s", error, extra={"job_id": row[0], "column": error.column})
                    continue
                self._jobs[row] = job
            jobs.append(job)
        return jobs


def instant_or_none(value: object) -> datetime | None:
    """Read an instant where a wrong one is no reason to hide the rest of its row."""
    try:
        return _optional_instant(value)
    except (TypeError, ValueError):
        return None


def _unreadable(row: Row, error: Exception) -> UnreadableJobError:
    for column, (_, read), value in zip(COLUMNS, _READERS, row, strict=True):
        try:
            read(value)
        except _MISFITS:
            return UnreadableJobError(row[0], column, value)
    raise error


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError
    return value


def _optional_text(value: Any) -> str | None:
    return None if value is None else _text(value)


def _instant(value: Any) -> datetime:
    return from_text(_text(value))


def _optional_instant(value: Any) -> datetime | None:
    return None if value is None else from_text(_text(value))


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _integer_or_none_as_zero(value: Any) -> int:
    return 0 if value is None else _integer(value)


def _max_attempts(value: Any) -> int:
    return 3 if value is None else _integer(value)


def _optional_number(value: Any) -> float | None:
    if value is None:
        return None
    if type(value) not in {int, float}:
        raise TypeError
    return float(value)


def _optional_span(value: Any) -> timedelta | None:
    seconds = _optional_number(value)
    return None if seconds is None else timedelta(seconds=seconds)


_READERS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("id", _integer),
    ("job_key", _text),
    ("payload_json", _optional_text),
    ("status", _STATUSES.__getitem__),
    ("attempts", _integer_or_none_as_zero),
    ("max_attempts", _max_attempts),
    ("last_attempt_at", _optional_instant),
    ("last_error", _optional_text),
    ("priority", _integer_or_none_as_zero),
    ("created_at", _instant),
    ("updated_at", _instant),
    ("queue", _text),
    ("run_at", _instant),
    ("timeout", _optional_span),
    ("unique_key", _optional_text),
    ("claimed_by", _optional_text),
    ("lease_expires_at", _optional_instant),
    ("progress", _optional_number),
    ("progress_message", _optional_text),
    ("result_json", _optional_text),
    ("finished_at", _optional_instant),
    ("cancel_requested_at", _optional_instant),
)
"""The field of ``BackgroundJob`` and how to read it, for each of ``COLUMNS`` in their order."""
