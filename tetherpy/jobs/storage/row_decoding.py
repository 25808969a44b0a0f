"""Rows of any engine as values: each is read by itself, and strictly, since other programs write to the tables too."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

import attrs
import msgspec

from ..errors import UnreadableJobError
from ..model import BackgroundJob, JobAttempt, WorkerRecord
from ..status import BackgroundJobStatus
from .columns import READERS
from .values import MISFITS, instant, instant_or_none, integer, text, text_or_none

Row: TypeAlias = tuple[Any, ...]

logger = logging.getLogger("tetherpy.jobs")

WARNED_ABOUT_AT_MOST = 1000

_READERS = tuple(READERS.values())


def to_job(row: Row) -> BackgroundJob:
    """Read a row whose columns are ``COLUMNS``; raise ``UnreadableJobError`` naming the bad column.

    NULL where the seed's table allows it means the column's default.
    """
    try:
        return BackgroundJob(**{field: read(value) for (field, read), value in zip(_READERS, row, strict=True)})
    except MISFITS as error:
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
        worker=text_or_none(row[1]),
        started_at=instant_or_none(row[2]),
        finished_at=instant_or_none(row[3]),
        outcome=text_or_none(row[4]),
        error=text_or_none(row[5]),
        traceback=text_or_none(row[6]),
        logs=text_or_none(row[7]),
    )


def to_attempts(job: BackgroundJob, rows: Iterable[Row], running_logs: str | None) -> list[JobAttempt]:
    """Return the attempts of a job: the rows of those that ended, and the one that runs now from the job's own row."""
    attempts = [to_attempt(job.id, row) for row in rows]
    if job.status is BackgroundJobStatus.RUNNING:
        attempts.append(
            JobAttempt(
                job_id=job.id,
                attempt=job.attempts,
                worker=job.claimed_by,
                started_at=job.last_attempt_at,
                logs=running_logs,
            )
        )
    return attempts


def to_workers(rows: Iterable[Row]) -> list[WorkerRecord]:
    """Read rows of the workers; one that cannot be read is left out with a warning."""
    workers: list[WorkerRecord] = []
    for row in rows:
        try:
            workers.append(
                WorkerRecord(
                    id=text(row[0]),
                    pid=integer(row[1]),
                    host=text(row[2]),
                    started_at=instant(row[3]),
                    heartbeat_at=instant(row[4]),
                    notification_title=text(row[5]),
                    notification_content=text(row[6]),
                    job_keys=_job_keys(row[7]),
                )
            )
        except MISFITS:
            logger.warning("worker %r cannot be read and is left out", row[0])
    return workers


def _unreadable(row: Row, error: Exception) -> UnreadableJobError:
    for (column, (_, read)), value in zip(READERS.items(), row, strict=True):
        try:
            read(value)
        except MISFITS:
            return UnreadableJobError(row[0], column, value)
    raise error


def _job_keys(value: Any) -> frozenset[str] | None:
    if value is None:
        return None
    return frozenset(msgspec.json.decode(value, type=list[str]) if isinstance(value, str) else map(text, value))
