"""Rows of any engine as values: each is read by itself, and strictly, since other programs write to the tables too."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

import attrs
import msgspec

from ..errors import UnreadableJobError
from ..model import BackgroundJob, JobAttempt, WorkerRecord
from ..schedules.backoff import Backoff, from_json
from ..status import BackgroundJobStatus
from .sql_files import COLUMNS
from .timestamps import from_text

Row: TypeAlias = tuple[Any, ...]

logger = logging.getLogger("tetherpy.jobs")

WARNED_ABOUT_AT_MOST = 1000

_MISFITS = (TypeError, ValueError, KeyError, OverflowError)
_STATUSES = {status.value: status for status in BackgroundJobStatus}


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
    rest cost neither building nor comparing. It keeps no job alive by itself.
    """

    _jobs: WeakValueDictionary[Row, BackgroundJob] = attrs.Factory(WeakValueDictionary[Row, BackgroundJob])
    _warned_about: set[object] = attrs.Factory(set[object])

    def read(self, rows: Iterable[Row]) -> list[BackgroundJob]:
        """Read rows; one that cannot be read is left out, with one warning for as long as it stays as it is."""
        jobs: list[BackgroundJob] = []
        for row in rows:
            job = self._jobs.get(row)
            if job is None:
                try:
                    job = to_job(row)
                except UnreadableJobError as error:
                    self._warn(error)
                    continue
                self._jobs[row] = job
            jobs.append(job)
        return jobs

    def _warn(self, error: UnreadableJobError) -> None:
        subject = (error.job_id, error.column, repr(error.value))
        if subject in self._warned_about:
            return
        if len(self._warned_about) >= WARNED_ABOUT_AT_MOST:
            self._warned_about.clear()
        self._warned_about.add(subject)
        logger.warning("%s", error, extra={"job_id": error.job_id, "column": error.column})


def to_attempt(job_id: int, row: Row) -> JobAttempt:
    """Decode a row of the attempts, without its job's id; values that cannot be decoded become None."""
    return JobAttempt(
        job_id=job_id,
        attempt=row[0] if type(row[0]) is int else 0,
        worker=_text_or_none(row[1]),
        started_at=instant_or_none(row[2]),
        finished_at=instant_or_none(row[3]),
        outcome=_text_or_none(row[4]),
        error=_text_or_none(row[5]),
        traceback=_text_or_none(row[6]),
    )


def to_attempts(job: BackgroundJob, rows: Iterable[Row]) -> list[JobAttempt]:
    """Return the attempts of a job: the rows of those that ended, and the one that runs now from the job's own row."""
    attempts = [to_attempt(job.id, row) for row in rows]
    if job.status is BackgroundJobStatus.RUNNING:
        attempts.append(
            JobAttempt(job_id=job.id, attempt=job.attempts, worker=job.claimed_by, started_at=job.last_attempt_at)
        )
    return attempts


def to_workers(rows: Iterable[Row]) -> list[WorkerRecord]:
    """Read rows of the workers; one that cannot be read is left out with a warning."""
    workers: list[WorkerRecord] = []
    for row in rows:
        try:
            workers.append(
                WorkerRecord(
                    id=_text(row[0]),
                    pid=_integer(row[1]),
                    host=_text(row[2]),
                    started_at=_instant(row[3]),
                    heartbeat_at=_instant(row[4]),
                    notification_title=_text(row[5]),
                    notification_content=_text(row[6]),
                    job_keys=_job_keys(row[7]),
                )
            )
        except _MISFITS:
            logger.warning("worker %r cannot be read and is left out", row[0])
    return workers


def instant_or_none(value: object) -> datetime | None:
    """Decode an instant; None if it is invalid, so that the rest of the row is shown."""
    try:
        return _optional_instant(value)
    except _MISFITS:
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


def _text_or_none(value: Any) -> str | None:
    return value if type(value) is str else None


def _instant(value: Any) -> datetime:
    return value if isinstance(value, datetime) else from_text(_text(value))


def _optional_instant(value: Any) -> datetime | None:
    return None if value is None else _instant(value)


def _job_keys(value: Any) -> frozenset[str] | None:
    if value is None:
        return None
    return frozenset(msgspec.json.decode(value, type=list[str]) if isinstance(value, str) else map(_text, value))


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
    if type(value) not in {int, float} or not isfinite(value):
        raise TypeError
    return float(value)


def _optional_span(value: Any) -> timedelta | None:
    seconds = _optional_number(value)
    return None if seconds is None else timedelta(seconds=seconds)


def _optional_policy(value: Any) -> Backoff | None:
    return None if value is None else from_json(_text(value))


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
    ("retry", _optional_policy),
    ("meta_json", _optional_text),
)
"""The field of ``BackgroundJob`` and how to read it, for each of ``COLUMNS`` in their order."""
