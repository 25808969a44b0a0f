"""``SyncJobManager``: the job manager for code without an event loop."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Self, TypeVar, Unpack, overload

import attrs

from tetherpy.closable import Closable
from tetherpy.database import (
    Address,
    AppTransaction,
    Migration,
    Portal,
    SyncDatabase,
    Synchronous,
    is_postgres,
    sqlite_path,
    sync_form,
)

from .definitions.call_signature import Enqueueable, Q
from .definitions.definition import JobDefinition
from .definitions.job_id import JobId
from .manager import BackgroundJobManager
from .model import EnqueueOptions, NewJob
from .opening import open_database

P = TypeVar("P")
R = TypeVar("R")


@attrs.define(eq=False)
class SyncJobManager(Synchronous[BackgroundJobManager], Closable):
    """Enqueue, inspect and manage jobs in code without an event loop: Flask, Django, scripts, plain ``def`` handlers.

    Its methods are those of ``BackgroundJobManager`` without ``await``. Any number of threads may use it.
    ``SyncJobManager.open(address)`` opens the database too; the constructor takes an open one, such as the ``db`` of
    a plain ``def`` handler. In an event loop its calls raise ``SyncCallInLoopError``.
    """

    database: SyncDatabase
    _manager: BackgroundJobManager | None = attrs.field(init=False, default=None)

    @classmethod
    def open(cls, address: Address, *, migrations: Iterable[Migration] = (), pool_size: int = 10) -> Self:
        """Return a manager that opens the database at its first use, in each process that uses it.

        So a module may hold one that is created before a server forks its processes. ``with`` opens it at once and
        closes it at the end of the block; otherwise it is closed by ``close`` or at the end of the program. A relative
        path begins at the folder that is current now. Arguments and errors are those of ``open_database``.
        """
        steps = tuple(migrations)
        place = os.fspath(address) if is_postgres(address) else str(sqlite_path(address))
        return cls(SyncDatabase(place, lambda: open_database(place, migrations=steps, pool_size=pool_size)))

    def close(self) -> None:
        """Close the database in this process; calls that are under way in other threads raise an error."""
        self.database.close()

    def __enter__(self) -> Self:
        self.in_loop()
        return self

    def in_loop(self) -> tuple[Portal, BackgroundJobManager]:
        """Return the manager of the open database, and the portal to its loop."""
        portal, db = self.database.in_loop()
        manager = self._manager
        if manager is None or manager.database is not db:
            manager = self._manager = BackgroundJobManager(db)
        return portal, manager

    @overload
    def enqueue(self, job: JobDefinition[P, R], /, payload: P, **options: Unpack[EnqueueOptions]) -> JobId[R]: ...
    @overload
    def enqueue(
        self, job: JobDefinition[P | None, R], /, payload: None = None, **options: Unpack[EnqueueOptions]
    ) -> JobId[R]: ...
    @overload
    def enqueue(self, job: Enqueueable[Q, R], /, *args: Q.args, **kwargs: Q.kwargs) -> JobId[R]: ...
    @overload
    def enqueue(self, job_key: str, payload: object = None, **options: Unpack[EnqueueOptions]) -> JobId[Any]: ...
    def enqueue(  # type: ignore[misc]  # pyright: ignore[reportInconsistentOverload] - of Enqueueable
        self, job_key: str | JobDefinition[Any, Any], payload: object = None, **options: Unpack[EnqueueOptions]
    ) -> JobId[Any]:
        """Store a job of a definition, or of a key, and return its id; see ``BackgroundJobManager.enqueue``.

        With ``transaction`` it is part of the app's transaction and durable once that commits. A connection that
        belongs to this thread, such as a ``sqlite3.Connection``, is used in this thread.
        """
        job: Any = job_key
        portal, manager = self.in_loop()
        return portal.call(lambda: manager.enqueue(job, payload, **options))

    def enqueue_many(self, jobs: Iterable[NewJob[R]], *, transaction: AppTransaction | None = None) -> list[JobId[R]]:
        """Store all jobs or none, in one transaction; return their ids in order."""
        new = list(jobs)  # a generator runs in this thread
        portal, manager = self.in_loop()
        return portal.call(lambda: manager.enqueue_many(new, transaction=transaction))

    @overload
    def result(self, job_id: JobId[R], timeout: timedelta | float | None = None) -> R: ...
    @overload
    def result(self, job_id: int, timeout: timedelta | float | None = None) -> object: ...
    def result(self, job_id: int, timeout: timedelta | float | None = None) -> object:
        """Wait until a job has ended, and return its result; see ``BackgroundJobManager.result``."""
        portal, manager = self.in_loop()
        return portal.call(lambda: manager.result(job_id, timeout))

    wait_for = sync_form(BackgroundJobManager.wait_for)
    get_job_by_id = sync_form(BackgroundJobManager.get_job_by_id)
    get_jobs_by_status = sync_form(BackgroundJobManager.get_jobs_by_status)
    get_jobs_by_job_key = sync_form(BackgroundJobManager.get_jobs_by_job_key)
    get_all_jobs = sync_form(BackgroundJobManager.get_all_jobs)
    find_jobs = sync_form(BackgroundJobManager.find_jobs)
    get_job_count_by_status = sync_form(BackgroundJobManager.get_job_count_by_status)
    get_counts = sync_form(BackgroundJobManager.get_counts)
    get_attempts = sync_form(BackgroundJobManager.get_attempts)
    get_timeline = sync_form(BackgroundJobManager.get_timeline)
    get_workers = sync_form(BackgroundJobManager.get_workers)
    update_job_status = sync_form(BackgroundJobManager.update_job_status)
    reset_job_for_retry = sync_form(BackgroundJobManager.reset_job_for_retry)
    retry_job = sync_form(BackgroundJobManager.retry_job)
    cancel_job = sync_form(BackgroundJobManager.cancel_job)
    delete_job = sync_form(BackgroundJobManager.delete_job)
    delete_jobs_by_status = sync_form(BackgroundJobManager.delete_jobs_by_status)
