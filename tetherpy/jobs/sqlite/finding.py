"""Find jobs, and count them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tetherpy.database import read_only

from ..arguments import is_storable
from ..errors import JobNotFoundError
from ..model import BackgroundJob, JobAttempt, JobCounts
from ..payload.encoding import encode
from ..query import JobPage, JobQuery
from ..status import BackgroundJobStatus
from ..storage.columns import COLUMNS
from ..storage.row_decoding import JobReader, to_attempts
from ..storage.timestamps import to_text
from .moving import read, running_logs
from .statements import fetch, sql

_ALL = -1  # a LIMIT that does not limit (sqlite.org/lang_select.html)
_HAS_META = (
    "meta IS NOT NULL AND NOT EXISTS (SELECT 1 FROM json_each(?) AS wanted WHERE NOT EXISTS "
    "(SELECT 1 FROM json_each(meta) AS given WHERE given.key = wanted.key AND given.atom = wanted.atom))"
)
_TABLE = "SELECT 1 FROM sqlite_master WHERE name = 'background_service_jobs'"


def find(connection: sqlite3.Connection, reader: JobReader, query: JobQuery) -> JobPage:
    """Return the jobs of a query; rows that cannot be read are left out with a warning."""
    conditions: list[tuple[str, Any]] = []
    if query.status is not None:
        conditions.append(("status = ?", query.status.value))
    if query.job_key is not None:
        conditions.append(("job_key = ?", query.job_key))
    if query.queue is not None:
        conditions.append(("queue = ?", query.queue))
    if query.unique_key is not None:
        conditions.append(("unique_key = ?", query.unique_key))
    if query.created_after is not None:
        conditions.append(("created_at > ?", to_text(query.created_after)))
    if query.created_before is not None:
        conditions.append(("created_at < ?", to_text(query.created_before)))
    if query.cursor is not None:
        conditions.append((f"id {query.follows} ?", query.cursor))
    if query.meta is not None:
        conditions.append((_HAS_META, encode(dict(query.meta))))
    if query.text is not None:
        columns = (f"coalesce({name}, '')" for name in ("job_key", "payload", "last_error", "meta", "unique_key"))
        searched = " || char(10) || ".join(columns)
        conditions.append((f"instr({searched}, ?)", query.text))
    return JobPage.of(query, fetch(connection, *_statement(query, conditions)), reader.read)


def _statement(query: JobQuery, conditions: list[tuple[str, Any]]) -> tuple[str, tuple[Any, ...]]:
    # Every part of the text is written here and above; the caller's values are bound.
    where = " AND ".join(condition for condition, _ in conditions) or "1"
    values = tuple(value for _, value in conditions)
    columns, order = ", ".join(COLUMNS), f"ORDER BY id {query.order_by_creation}"
    limit = _ALL if query.fetched is None else query.fetched
    source = f"SELECT {columns} FROM background_service_jobs {_index(query)} WHERE {where}"  # noqa: S608
    if query.job_key is None or query.status is not None or query.unique_key is not None:
        return f"{source} {order} LIMIT ? OFFSET ?", (*values, limit, query.offset)
    # The index has the status between key and id, so each status gives one sorted list, and their heads are merged.
    most = _ALL if query.merged is None else query.merged
    lists = " UNION ALL ".join(
        f"SELECT * FROM ({source} AND status = '{status}' {order} LIMIT ?)"  # noqa: S608
        for status in BackgroundJobStatus
    )
    return f"SELECT {columns} FROM ({lists}) {order} LIMIT ? OFFSET ?", (  # noqa: S608
        *((*values, most) * len(BackgroundJobStatus)),
        limit,
        query.offset,
    )


def _index(query: JobQuery) -> str:
    if query.unique_key is not None:
        return "INDEXED BY background_service_jobs_unique_history"
    if query.job_key is not None:
        return "INDEXED BY background_service_jobs_key"
    if query.status is not None:
        return "INDEXED BY background_service_jobs_status"
    return ""


def read_many(connection: sqlite3.Connection, reader: JobReader, job_ids: Iterable[int]) -> dict[int, BackgroundJob]:
    """Return those of the jobs that exist and can be read."""
    rows = fetch(connection, sql("jobs_by_ids"), (json.dumps(list(filter(is_storable, job_ids))),))
    return {job.id: job for job in reader.read(rows)}


def attempts(connection: sqlite3.Connection, job_id: int) -> list[JobAttempt]:
    """Return a job's attempts, oldest first; the running one comes from the job's own row."""
    job = read(connection, job_id)
    if job is None:
        raise JobNotFoundError(job_id)
    return to_attempts(job, fetch(connection, sql("attempts"), (job_id,)), running_logs(connection, job_id))


def counts(connection: sqlite3.Connection) -> JobCounts:
    """Read the counts that triggers keep: one row per status, however many jobs."""
    jobs = {row[0]: row[1] for row in connection.execute(sql("counts"))}
    known = {status.value.lower(): jobs.pop(status.value, 0) for status in BackgroundJobStatus}
    return JobCounts(**known, unknown=sum(jobs.values()))


def revisions(connection: sqlite3.Connection) -> dict[str, int]:
    """Read the number per status that moves with every change of a job that has it."""
    return {row[0]: row[2] for row in connection.execute(sql("counts"))}


def read_jobs(path: Path, query: JobQuery) -> JobPage:
    """Return the jobs of an SQLite file that a query asks for; none if the file or its table is missing.

    Opens a connection for this call and blocks until it is done: a tool for tests and scripts. In an app use the
    manager.
    """
    if not path.exists():
        return JobPage()
    with read_only(path) as connection:
        if connection.execute(_TABLE).fetchone() is None:
            return JobPage()
        return find(connection, JobReader(), query)
