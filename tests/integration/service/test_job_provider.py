"""A provider whose value is a durable job."""

import asyncio
from pathlib import Path

import attrs
import pytest

from tetherpy import AsyncData, AsyncError, AsyncLoading, FutureProvider, Provider, ProviderContainer, StateProvider
from tetherpy.database import Database
from tetherpy.jobs import JOB_MIGRATIONS, BackgroundJobManager, BackgroundJobStatus
from tetherpy.service import JobProvider, JobProviderError

APP = "job_provider_worker:initialize"


@attrs.frozen
class Sum:
    total: int


@Provider
def path_provider(ref) -> Path:
    raise NotImplementedError


@FutureProvider
async def database_provider(ref) -> Database:
    return await ref.enter_async(Database.open(ref.watch(path_provider), migrations=JOB_MIGRATIONS))


@Provider
def manager_provider(ref) -> BackgroundJobManager:
    return BackgroundJobManager(ref.watch(database_provider).require_value)


numbers = StateProvider(lambda ref: (1, 2), name="numbers")
sum_provider = JobProvider("sum", payload=lambda ref: {"numbers": [3, 4]}, result=Sum, manager=manager_provider)
sum_of = JobProvider.family(
    "sum", payload=lambda ref, *values: {"numbers": list(values)}, result=Sum, manager=manager_provider, name="sum_of"
)
watched = JobProvider(
    "sum",
    payload=lambda ref: {"numbers": list(ref.watch(numbers))},
    result=Sum,
    manager=manager_provider,
    name="watched",
)
short_lived = JobProvider(
    "endless", result=Sum, manager=manager_provider, name="short", auto_dispose=True, cancel_on_dispose=True
)


@pytest.fixture
async def container(database_path):
    async with ProviderContainer(overrides=[path_provider.override_with_value(database_path)]) as container:
        yield container


@pytest.fixture
async def service(shared_service):
    return await shared_service(APP)


async def states(container, provider, until):
    seen = []
    async with asyncio.timeout(25):
        async for state in container.stream(provider):
            seen.append(state)
            if until(state):
                break
    return seen


def is_data(state):
    return isinstance(state, AsyncData)


async def jobs_of(container):
    return await container.read(manager_provider).get_all_jobs(order_by_creation="ASC")


async def test_a_job_provider_is_loading_with_progress_and_then_has_the_result(container, database_path, service):
    gate = database_path.with_name("gate")
    gated = JobProvider("gated", payload={"gate": str(gate)}, result=Sum, manager=manager_provider)

    def open_gate(previous, state):
        if state.progress == 0.5:
            gate.touch()

    container.listen(gated, open_gate)
    seen = await states(container, gated, is_data)
    assert seen[-1] == AsyncData(Sum(7))
    assert all(isinstance(state, AsyncLoading) for state in seen[:-1])
    assert any(state.progress == 0.5 for state in seen)
    assert await container.read(gated.future) == Sum(7)


async def test_a_job_provider_enqueues_one_job_for_many_readers(container, service):
    results = await asyncio.gather(*(container.read(sum_of(1, 2).future) for _ in range(8)))
    assert results == [Sum(3)] * 8
    assert len(await jobs_of(container)) == 1
    assert await container.read(sum_of(2, 3).future) == Sum(5)
    assert len(await jobs_of(container)) == 2


async def test_the_same_job_is_found_after_the_app_restarts_during_the_job(container, database_path, make_service):
    container.listen(sum_provider, lambda previous, state: None)
    await container.read(database_provider.future)
    enqueued = asyncio.Event()
    container.read(manager_provider).watch_counts().subscribe(lambda counts: counts.pending and enqueued.set())
    async with asyncio.timeout(25):
        await enqueued.wait()
    await container.aclose()  # the app ends while the job is pending

    await make_service(APP).start()
    overrides = [path_provider.override_with_value(database_path)]
    async with ProviderContainer(overrides=overrides) as again:
        assert await again.read(sum_provider.future) == Sum(7)
        (job,) = await jobs_of(again)
        assert job.attempts == 1
    async with ProviderContainer(overrides=overrides) as once_more:
        assert await once_more.read(sum_provider.future) == Sum(7)
        assert len(await jobs_of(once_more)) == 1


async def test_invalidation_repeats_the_job_and_keeps_the_previous_result(container, service):
    container.listen(sum_provider, lambda previous, state: None)
    await container.read(sum_provider.future)
    container.invalidate(sum_provider)
    assert container.read(sum_provider).is_refreshing
    assert container.read(sum_provider).value == Sum(7)
    await container.read(sum_provider.future)
    assert len(await jobs_of(container)) == 2


async def test_a_changed_payload_is_a_different_job(container, service):
    container.listen(watched, lambda previous, state: None)
    assert await container.read(watched.future) == Sum(3)
    container.read(numbers.notifier).state = (10, 20)
    assert await container.read(watched.future) == Sum(30)
    container.read(numbers.notifier).state = (1, 2)
    assert await container.read(watched.future) == Sum(3)
    assert len(await jobs_of(container)) == 2  # the job of the first payload was found again


async def test_a_failed_job_is_an_error_that_names_it_and_is_found_again(container, database_path, service):
    with pytest.raises(JobProviderError, match="cannot add") as caught:
        await container.read(sum_of("x").future)
    assert caught.value.job.status is BackgroundJobStatus.FAILED
    async with ProviderContainer(overrides=[path_provider.override_with_value(database_path)]) as again:
        seen = await states(again, sum_of("x"), lambda state: isinstance(state, AsyncError))
        assert seen[-1].error.job.id == caught.value.job.id


async def test_disposal_cancels_the_job_if_cancel_on_dispose_is_set(container, service):
    subscription = container.listen(short_lived, lambda previous, state: None)
    await states(container, short_lived, lambda state: state.progress == 0.5)
    subscription.close()
    await container.pump()
    (job,) = await jobs_of(container)
    ended = await container.read(manager_provider).wait_for(job.id, timeout=25)
    assert ended.status is BackgroundJobStatus.CANCELLED
