"""The declared stream providers, from opening the database to replacing it."""

import asyncio
from pathlib import Path

import pytest

from providers import (
    background_job_manager_provider,
    database_path_provider,
    database_provider,
    job_counts_stream_provider,
    job_stream_provider,
    jobs_by_status_stream_provider,
    pending_jobs_stream_provider,
)
from tests.support.streams import first_data
from tetherpy import AsyncLoading, StateProvider
from tetherpy.jobs import Ack, BackgroundJobStatus, Completed, JobCounts, NewJob

current_path = StateProvider(lambda ref: Path("unset"), name="current_path")


@pytest.fixture
def provider_overrides(tmp_path):
    return [
        current_path.override_with_value(tmp_path / "first.db"),
        database_path_provider.override_with(lambda ref: ref.watch(current_path)),
    ]


async def manager_of(container):
    await container.read(database_provider.future)
    return container.read(background_job_manager_provider)


async def test_streams_are_loading_while_the_database_opens(container):
    for provider in (pending_jobs_stream_provider, job_counts_stream_provider, job_stream_provider(1)):
        assert container.read(provider) == AsyncLoading()
    assert await first_data(container, job_counts_stream_provider, bool) == JobCounts()


async def test_streams_use_the_new_database_after_a_replacement(container, tmp_path):
    manager = await manager_of(container)
    await manager.enqueue("old")
    container.listen(pending_jobs_stream_provider, lambda previous, state: None)
    jobs = await first_data(container, pending_jobs_stream_provider, bool)
    assert [job.job_key for job in jobs] == ["old"]

    container.read(current_path.notifier).state = tmp_path / "second.db"
    assert await first_data(container, pending_jobs_stream_provider, lambda jobs: not jobs) == []
    replaced = await manager_of(container)
    assert replaced is not manager
    await replaced.enqueue("new")
    jobs = await first_data(container, pending_jobs_stream_provider, bool)
    assert [job.job_key for job in jobs] == ["new"]


async def test_counts_and_the_newest_jobs_are_correct_after_many_jobs_finish(container):
    manager = await manager_of(container)
    await manager.enqueue_many(NewJob(job_key="k") for _ in range(1000))
    completed = jobs_by_status_stream_provider(BackgroundJobStatus.COMPLETED)
    engine = manager.engine
    acks = []
    with container.listen(completed, lambda previous, state: None):
        while True:
            ack_and_fetch = await engine.ack_and_fetch("w", acks, 500, None)
            acks = [Ack(claim, Completed(None)) for claim in ack_and_fetch.claims]
            if not acks:
                break
        counts = await first_data(container, job_counts_stream_provider, lambda counts: counts.completed == 1000)
        assert counts == JobCounts(completed=1000)
        newest = await first_data(container, completed, lambda jobs: jobs[0].id == 1000)
    assert [job.id for job in newest] == list(range(1000, 900, -1))


async def test_a_slow_consumer_gets_the_latest_value_and_blocks_no_other(container):
    manager = await manager_of(container)
    stream = container.stream(job_counts_stream_provider)
    fast = []
    container.listen(job_counts_stream_provider, lambda previous, state: fast.append(state))
    async with asyncio.timeout(25):
        async for state in stream:
            if not state.is_loading:
                break
        for _ in range(20):
            await manager.enqueue("k")
        await first_data(container, job_counts_stream_provider, lambda counts: counts.pending == 20)
        async for state in stream:  # it was not queried in between
            assert state.require_value.pending == 20
            break
    await stream.aclose()
