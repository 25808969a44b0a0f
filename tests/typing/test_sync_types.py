"""What type checkers know of the synchronous classes; checked by mypy --strict and pyright strict, never run."""
# pyright: strict

from __future__ import annotations

import sqlite3
from typing import Any, assert_type

from tetherpy import BackgroundJob, JobDefinition, JobId, JobPage, NewJob, SqlRow, SyncDatabase, SyncJobManager

resize = JobDefinition("resize", payload=int, result=str)
sweep = JobDefinition("sweep")


def derived(jobs: SyncJobManager, db: SyncDatabase) -> None:
    assert_type(jobs.get_job_by_id(1), BackgroundJob | None)
    assert_type(jobs.get_all_jobs(limit=3), JobPage)
    assert_type(jobs.wait_for(1, timeout=2.5), BackgroundJob)
    assert_type(jobs.delete_job(1), None)
    assert_type(db.get("SELECT 1"), SqlRow)
    jobs.get_all_jobs(limt=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    jobs.get_job_by_id("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def with_overloads(jobs: SyncJobManager, connection: sqlite3.Connection) -> None:
    job_id = jobs.enqueue(resize, 7, priority=3, transaction=connection)
    assert_type(job_id, JobId[str])
    assert_type(jobs.result(job_id), str)
    assert_type(jobs.enqueue_many([resize.new(7)]), list[JobId[str]])
    assert_type(jobs.enqueue(sweep), JobId[None])
    assert_type(jobs.enqueue("by key", {"any": "thing"}), JobId[Any])
    assert_type(jobs.enqueue_many([NewJob(job_key="k")]), list[JobId[Any]])
    jobs.enqueue(resize, "7")  # type: ignore[misc]  # pyright: ignore[reportCallIssue, reportArgumentType]


def transactions(jobs: SyncJobManager) -> None:
    with SyncJobManager.open("app.db") as opened, opened.database.transaction() as tx:
        assert_type(opened, SyncJobManager)
        assert_type(tx.get_optional("SELECT 1"), SqlRow | None)
        jobs.enqueue("k", transaction=tx)
