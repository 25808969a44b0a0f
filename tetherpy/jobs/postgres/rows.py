"""Rows of ``background_service_jobs`` as values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

import attrs

from ..model import BackgroundJob
from ..status import BackgroundJobStatus

Row: TypeAlias = Sequence[Any]

_STATUSES = {status.value: status for status in BackgroundJobStatus}


def to_job(row: Row) -> BackgroundJob:
    """Read a row whose columns are ``COLUMNS``; PostgreSQL has seen to their types."""
    return BackgroundJob(
        id=row[0],
        job_key=row[1],
        payload_json=row[2],
        status=_STATUSES[row[3]],
        attempts=row[4],
        max_attempts=row[5],
        last_attempt_at=row[6],
        last_error=row[7],
        priority=row[8],
        created_at=row[9],
        updated_at=row[10],
        queue=row[11],
        run_at=row[12],
        timeout=None if row[13] is None else timedelta(seconds=row[13]),
        unique_key=row[14],
        claimed_by=row[15],
        lease_expires_at=row[16],
        progress=row[17],
        progress_message=row[18],
        result_json=row[19],
        finished_at=row[20],
        cancel_requested_at=row[21],
    )


@attrs.define(eq=False)
class JobReader:
    """Turn rows into jobs, the same row into the same object for as long as anyone holds it.

    A live list is read again after every change, though few of its rows differ.
    """

    _jobs: WeakValueDictionary[Row, BackgroundJob] = attrs.Factory(WeakValueDictionary[Row, BackgroundJob])

    def read(self, rows: Iterable[Row]) -> list[BackgroundJob]:
        """Read rows."""
        return [self._read(row) for row in rows]

    def _read(self, row: Row) -> BackgroundJob:
        job = self._jobs.get(row)
        if job is None:
            job = self._jobs[row] = to_job(row)
        return job
