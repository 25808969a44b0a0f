"""The job that a JobProvider shows, enqueues and cancels, on a real database."""

import asyncio
import functools
from datetime import timedelta

import attrs
import pytest

from tests.support.waiting import until
from tetherpy import AsyncData, AsyncError, AsyncLoading, Provider, ProviderContainer, StateProvider
from tetherpy.database import Database
from tetherpy.jobs import BackgroundJobManager, BackgroundJobStatus, DoNotRetry, PayloadDecodeError
from tetherpy.service import JobProvider, JobProviderError

PENDING, RUNNING, CANCELLED = (
    BackgroundJobStatus.PENDING,
    BackgroundJobStatus.RUNNING,
    BackgroundJobStatus.CANCELLED,
)


@attrs.frozen
class Sum:
    total: int


@Provider
def manager_provider(ref) -> BackgroundJobManager:
    raise NotImplementedError


numbers = StateProvider(lambda ref: (1, 2), name="numbers")


def declare(job_key="sum", payload=None, **options):
    options = {"result": Sum, "manager": manager_provider, "name": "total", **options}
    return JobProvider(job_key, payload=payload or (lambda ref: list(ref.watch(numbers))), **options)


def declare_short_lived(**options):
    return declare(auto_dispose=True, cancel_on_dispose=True, **options)


@pytest.fixture
def worker(worker):
    worker.service.register_job_handler("sum", lambda service, payload, db: {"total": sum(payload)})
    worker.service.register_job_handler("count", lambda service, payload, db: {"count": len(payload)})
    return worker


@pytest.fixture
async def make_container(manager):
    containers = []

    def make(**options):
        overrides = [manager_provider.override_with_value(manager)]
        containers.append(ProviderContainer(overrides=overrides, **options))
        return containers[-1]

    yield make
    for container in containers:
        await container.aclose()


@pytest.fixture
def container(make_container):
    return make_container()


def ignore(previous, state):
    pass


async def statuses(manager):
    return [job.status.name for job in await manager.get_all_jobs(order_by_creation="ASC")]


async def until_statuses(manager, *expected):
    async def are_there():
        return await statuses(manager) == list(expected)

    await until(are_there)


async def until_shown(container, provider, kind):
    await until(lambda: isinstance(container.read(provider), kind) and not container.read(provider).is_loading)
    return container.read(provider)


# -- cancel_on_dispose ---------------------------------------------------------------------------


@pytest.mark.parametrize("status", [PENDING, RUNNING])
async def test_a_refresh_does_not_cancel_an_active_job(container, manager, status):
    provider = declare_short_lived()
    container.listen(provider, ignore)
    await until_statuses(manager, "PENDING")
    if status is RUNNING:
        await manager.update_job_status(1, RUNNING)
    for _ in range(3):
        container.invalidate(provider)
        await container.pump()
    await until(lambda: isinstance(container.read(provider), AsyncLoading))
    container.listen(manager_provider, ignore)
    await manager.get_counts()
    (job,) = await manager.get_all_jobs()
    assert (job.status, job.cancel_requested_at) == (status, None)


async def test_a_provider_that_is_used_again_repeats_the_job_that_disposal_cancelled(container, manager, worker):
    provider = declare_short_lived()
    subscription = container.listen(provider, ignore)
    await until_statuses(manager, "PENDING")
    subscription.close()
    await until_statuses(manager, "CANCELLED")
    container.listen(provider, ignore)
    await until_statuses(manager, "CANCELLED", "PENDING")
    await worker.drain(list[object]().append)
    assert (await until_shown(container, provider, AsyncData)).value == Sum(3)


async def test_a_restarted_app_repeats_the_job_that_disposal_cancelled(make_container, manager, worker):
    provider = declare_short_lived()
    first = make_container()
    first.listen(provider, ignore)
    await until_statuses(manager, "PENDING")
    await first.aclose()
    assert await statuses(manager) == ["CANCELLED"]
    second = make_container()
    second.listen(provider, ignore)
    await until_statuses(manager, "CANCELLED", "PENDING")


async def test_a_provider_used_again_waits_for_the_stopping_job_and_repeats_it(container, manager):
    provider = declare_short_lived()
    subscription = container.listen(provider, ignore)
    await until_statuses(manager, "PENDING")
    await manager.update_job_status(1, RUNNING)
    subscription.close()

    async def was_asked_to_stop():
        return (await manager.get_job_by_id(1)).cancel_requested_at is not None

    await until(was_asked_to_stop)
    container.listen(provider, ignore)
    await container.pump()
    await manager.update_job_status(1, CANCELLED)
    await until_statuses(manager, "CANCELLED", "PENDING")
    assert isinstance(container.read(provider), AsyncLoading)


async def test_a_family_argument_that_is_used_again_repeats_its_cancelled_job(container, manager, worker):
    provider = declare_short_lived()
    container.listen(provider, ignore)
    await until_statuses(manager, "PENDING")
    container.read(numbers.notifier).state = (10, 20)
    await until_statuses(manager, "CANCELLED", "PENDING")
    container.read(numbers.notifier).state = (1, 2)
    await until_statuses(manager, "CANCELLED", "CANCELLED", "PENDING")
    await worker.drain(list[object]().append)
    assert (await until_shown(container, provider, AsyncData)).value == Sum(3)
    container.read(numbers.notifier).state = (10, 20)
    container.read(numbers.notifier).state = (1, 2)
    await container.pump()
    assert (await until_shown(container, provider, AsyncData)).value == Sum(3)
    assert await statuses(manager) == ["CANCELLED", "CANCELLED", "COMPLETED"]


@pytest.mark.parametrize("turns", range(0, 60, 7))
async def test_disposal_during_the_enqueue_leaves_no_job(make_container, manager, turns):
    container = make_container()
    container.listen(declare_short_lived(), ignore)
    for _ in range(turns):
        await asyncio.sleep(0)
    await container.aclose()
    assert set(await statuses(manager)) <= {"CANCELLED"}
    assert await manager.get_job_count_by_status(PENDING) == 0


async def test_a_job_that_another_container_watches_is_not_cancelled(make_container, db, manager):
    provider, twin = declare_short_lived(), declare()
    first, second = (
        make_container(),
        ProviderContainer(overrides=[manager_provider.override_with_value(BackgroundJobManager(db))]),
    )
    first.listen(provider, ignore)
    async with second:
        second.listen(twin, ignore)
        await until_statuses(manager, "PENDING")
        await second.pump()
        await first.aclose()
        assert await statuses(manager) == ["PENDING"]
    assert await statuses(manager) == ["PENDING"], "the last awaiter does not cancel"


async def test_a_job_cancelled_elsewhere_is_shown_as_cancelled(make_container, manager):
    container = make_container(retry=lambda count, error: 0.001)
    provider = declare_short_lived()
    container.listen(provider, ignore)
    await until_statuses(manager, "PENDING")
    await manager.cancel_job(1)
    state = await until_shown(container, provider, AsyncError)
    assert isinstance(state.error, JobProviderError)
    container.read(numbers.notifier).state = (1, 2)
    assert await statuses(manager) == ["CANCELLED"]
    container.invalidate(provider)
    await until_statuses(manager, "CANCELLED", "PENDING")


# -- new jobs -----------------------------------------------------------------------


async def test_a_retry_of_the_provider_does_not_repeat_the_job(make_container, manager, worker):
    provider = declare(result=int)
    retries = []

    def retry(count, error):
        retries.append(error)
        return 0.001 if len(retries) < 4 else None

    container = make_container(retry=retry, on_error=lambda error, provider: None)
    container.listen(provider, ignore)
    await until_statuses(manager, "PENDING")
    await worker.drain(list[object]().append)
    state = await until_shown(container, provider, AsyncError)
    assert isinstance(state.error, PayloadDecodeError)
    assert len(retries) == 4
    assert await statuses(manager) == ["COMPLETED"]
    container.invalidate(provider)
    await until_statuses(manager, "COMPLETED", "PENDING")


async def test_new_overrides_do_not_repeat_the_job(make_container, manager, worker):
    provider = declare()
    container = make_container()
    container.listen(provider, ignore)
    await until_statuses(manager, "PENDING")
    await worker.drain(list[object]().append)
    await until_shown(container, provider, AsyncData)
    container.update_overrides([manager_provider.override_with_value(BackgroundJobManager(manager.engine))])
    await container.pump()
    assert (await until_shown(container, provider, AsyncData)).value == Sum(3)
    assert await statuses(manager) == ["COMPLETED"]


@pytest.mark.parametrize("as_reload", [False, True])
async def test_an_invalidation_repeats_a_finished_job_once(container, manager, worker, as_reload):
    provider = declare()
    container.listen(provider, ignore)
    await until_statuses(manager, "PENDING")
    await worker.drain(list[object]().append)
    await until_shown(container, provider, AsyncData)
    container.invalidate(provider, as_reload=as_reload)
    await until_statuses(manager, "COMPLETED", "PENDING")
    await worker.drain(list[object]().append)
    assert (await until_shown(container, provider, AsyncData)).value == Sum(3)
    assert await statuses(manager) == ["COMPLETED", "COMPLETED"]


async def test_a_retry_makes_up_for_a_failed_enqueue_after_an_invalidation(make_container, manager, worker, db):
    container = make_container(retry=lambda count, error: 0.001, on_error=lambda error, provider: None)
    provider = declare()
    container.listen(provider, ignore)
    await until_statuses(manager, "PENDING")
    await worker.drain(list[object]().append)
    await until_shown(container, provider, AsyncData)
    await db.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON background_service_jobs BEGIN SELECT RAISE(ABORT, 'refused'); END"
    )
    container.invalidate(provider)
    await until(lambda: container.read(provider).retrying)
    await db.execute("DROP TRIGGER refuse")
    await until_statuses(manager, "COMPLETED", "PENDING")


# -- identity ------------------------------------------------------------------------------------


async def test_providers_with_different_job_keys_or_result_types_have_separate_jobs(container, manager, worker):
    @attrs.frozen
    class Count:
        count: int

    total, count, plain = declare(), declare("count", result=Count), declare(result=dict[str, int])
    for provider in (total, count, plain):
        container.listen(provider, ignore)
    await until_statuses(manager, "PENDING", "PENDING", "PENDING")
    await worker.drain(list[object]().append)
    values = [(await until_shown(container, provider, AsyncData)).value for provider in (total, count, plain)]
    assert values == [Sum(3), Count(2), {"total": 3}]


async def test_a_partial_or_a_callable_object_may_create_the_payload(container, manager):
    class Numbers:
        def __call__(self, ref):
            return [4]

    def of(number, ref):
        return [number]

    for payload in (functools.partial(of, 3), Numbers()):
        container.listen(declare(payload=payload), ignore)
    await until_statuses(manager, "PENDING", "PENDING")
    assert sorted(job.payload for job in await manager.get_all_jobs()) == [[3], [4]]


# -- deletion ------------------------------------------------------------------------------------


async def test_a_result_stays_after_its_row_is_deleted(container, manager, worker):
    provider = declare()
    container.listen(provider, ignore)
    await until_statuses(manager, "PENDING")
    await worker.drain(list[object]().append)
    await until_shown(container, provider, AsyncData)
    told = []
    container.listen(provider, lambda previous, state: told.append(state))
    await manager.delete_job(1)
    container.listen(declare(payload=lambda ref: [7]), ignore)
    await until_statuses(manager, "PENDING")  # the notification of the deletion has arrived
    await container.pump()
    assert container.read(provider) == AsyncData(Sum(3))
    assert told == []
    container.update_overrides([manager_provider.override_with_value(BackgroundJobManager(manager.engine))])
    await container.pump()
    assert (await until_shown(container, provider, AsyncData)).value == Sum(3)
    assert await statuses(manager) == ["PENDING"], "a job whose row is gone must not run again"


async def test_a_job_deleted_before_its_end_is_an_error(container, manager):
    provider = declare()
    container.listen(provider, ignore)
    await until_statuses(manager, "PENDING")
    await until(lambda: container.read(provider).is_loading)
    await manager.delete_job(1)
    state = await until_shown(container, provider, AsyncError)
    assert "was deleted" in str(state.error)


def test_without_an_event_loop_the_error_explains_it(tmp_path):
    async def opened():
        async with Database.open(tmp_path / "app.db") as db:
            return BackgroundJobManager(db)

    manager = asyncio.run(opened())
    with ProviderContainer(
        overrides=[manager_provider.override_with_value(manager)], on_error=lambda error, provider: None
    ) as container:
        state = container.read(declare())
        assert "needs a running event loop" in str(state.error)


async def fail(worker, manager):
    """Let the job that waits fail for good."""

    def handler(service, payload, db):
        raise DoNotRetry("no")

    worker.service.register_job_handler("broken", handler)
    await worker.drain(list[object]().append)


@pytest.mark.parametrize("retry_failed", [True, False])
async def test_a_failed_job_is_run_again_at_the_next_start_unless_told_not_to(
    make_container, manager, worker, retry_failed
):
    provider = declare("broken", retry_failed=retry_failed)
    first = make_container()
    first.listen(provider, ignore)
    await until_statuses(manager, "PENDING")
    await fail(worker, manager)
    await until_shown(first, provider, AsyncError)
    await first.aclose()
    second = make_container()
    second.listen(provider, ignore)
    if retry_failed:
        await until_statuses(manager, "FAILED", "PENDING")
        assert second.read(provider).is_loading
    else:
        await until_shown(second, provider, AsyncError)
        assert await statuses(manager) == ["FAILED"]


async def test_a_result_older_than_its_maximum_age_is_computed_again(make_container, manager, worker):
    day = declare(max_age=timedelta(days=1))
    first = make_container()
    first.listen(day, ignore)
    await until_statuses(manager, "PENDING")
    await worker.drain(list[object]().append)
    await until_shown(first, day, AsyncData)
    await first.aclose()

    second = make_container()
    second.listen(day, ignore)
    await until_shown(second, day, AsyncData)
    assert await statuses(manager) == ["COMPLETED"]
    third = make_container()
    third.listen(declare(max_age=0), ignore)
    await until_statuses(manager, "COMPLETED", "PENDING")
