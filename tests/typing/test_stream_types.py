"""What type checkers infer for ``async for`` over streams; checked by tests/unit/test_types.py."""
# pyright: strict

from __future__ import annotations

from typing import assert_type

from reactivex import Observable

from tetherpy import (
    BackgroundJob,
    BackgroundJobManager,
    BackgroundService,
    Database,
    JobCounts,
    Provider,
    ProviderContainer,
    Ref,
    Row,
    ServiceState,
)


@Provider
def greeting(ref: Ref) -> str:
    return "Hello"


async def streams(
    manager: BackgroundJobManager, service: BackgroundService, database: Database, container: ProviderContainer
) -> None:
    async for job in manager.watch_job(1):
        assert_type(job, BackgroundJob | None)
    async for job in manager.follow_job(1):
        assert_type(job, BackgroundJob)
    async for counts in manager.watch_counts():
        assert_type(counts, JobCounts)
    async for state in service.state:
        assert_type(state, ServiceState)
    async for rows in database.watch("SELECT 1"):
        assert_type(rows, list[Row])
    async for tables in database.changes:
        assert_type(tables, frozenset[str])
    async for text in container.stream(greeting):
        assert_type(text, str)
    as_observable(manager.watch_counts())


def as_observable(counts: Observable[JobCounts]) -> None:
    """Take an observable of Rx."""
