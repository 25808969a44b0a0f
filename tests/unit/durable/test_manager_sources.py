"""A JobProvider, the screens and the fixture ``jobs`` take a manager of a ``Provider`` and of a ``FutureProvider``."""

import asyncio

import pytest

from tetherpy import (
    AsyncError,
    AsyncLoading,
    BackgroundJobManager,
    FutureProvider,
    JobProvider,
    Provider,
    ProviderContainer,
    never,
)
from tetherpy.database import Migration
from tetherpy.jobs import JobArgumentError, JobQuery
from tetherpy.service import InlineWorker
from tetherpy.ui import JobProviders
from tetherpy.ui.web import dashboard
from tetherpy.ui.web.pages.page_providers import declare_sources

NOTES = Migration(version=1, name="notes", sql="CREATE TABLE notes (text TEXT)")


async def double(service, payload, db):
    return payload * 2


def manager_opened_after(may_open, path):
    """Declare a provider that waits for an event and opens a manager."""

    async def open_manager(ref):
        await may_open.wait()
        return await ref.enter_async(BackgroundJobManager.open(path))

    return FutureProvider(open_manager, name="manager")


async def test_the_manager_opens_a_database_with_job_tables_and_the_apps_own(tmp_path):
    async with BackgroundJobManager.open(tmp_path / "app.db", migrations=[NOTES]) as manager:
        async with manager.database.transaction() as transaction:
            await transaction.execute("INSERT INTO notes VALUES ('tea')")
            job_id = await manager.enqueue("k", transaction=transaction)
        assert [job.id for job in await manager.get_all_jobs()] == [job_id]


async def test_a_job_provider_waits_for_a_manager_that_is_opened_asynchronously(tmp_path):
    may_open = asyncio.Event()
    manager_provider = manager_opened_after(may_open, tmp_path / "app.db")
    doubled = JobProvider("double", payload=21, result=int, manager=manager_provider)
    async with ProviderContainer() as container, asyncio.timeout(25):
        states = []
        container.listen(doubled, lambda _, value: states.append(value), fire_immediately=True)
        assert isinstance(states[0], AsyncLoading)
        may_open.set()
        manager = await container.read(manager_provider.future)
        async with InlineWorker.open(manager.database) as worker:
            worker.service.register_job_handler("double", double)
            while not await manager.get_all_jobs():
                await asyncio.sleep(0.005)
            await worker.drain(lambda ack: None)
            assert await container.read(doubled.future) == 42
        assert len(await manager.get_all_jobs()) == 1


async def test_a_manager_that_cannot_be_opened_is_the_error_of_the_job_provider():
    async def fail(ref):
        raise OSError("no disk")

    doubled = JobProvider("double", result=int, manager=FutureProvider(fail, name="manager", retry=never))
    async with ProviderContainer() as container, asyncio.timeout(25):
        container.listen(doubled, lambda _, __: None)
        with pytest.raises(OSError, match="no disk"):
            await container.read(doubled.future)
        assert isinstance(container.read(doubled), AsyncError)


async def opened(ref):
    raise AssertionError("a test does not open the app's own database")


@pytest.mark.parametrize("is_async", [False, True])
async def test_the_fixture_overrides_providers_of_both_kinds(jobs, is_async):
    def provider(name):
        return FutureProvider(opened, name=name) if is_async else Provider(lambda ref: None, name=name)

    path, database, manager = provider("path"), provider("database"), provider("manager")
    overrides = jobs.overrides(path=path, database=database, manager=manager)
    await jobs.database()
    async with ProviderContainer(overrides=overrides) as container:

        async def read(provider):
            return await container.read(provider.future) if is_async else container.read(provider)

        assert await read(path) == jobs.path
        assert await read(database) is await jobs.database()
        await (await read(manager)).enqueue("k")
    assert [job.job_key for job in jobs.enqueued()] == ["k"]


async def test_a_manager_of_a_future_provider_needs_no_database(jobs):
    manager = FutureProvider(opened, name="manager")
    async with ProviderContainer(overrides=jobs.overrides(manager=manager)) as container:
        await (await container.read(manager.future)).enqueue("k")
    assert [job.job_key for job in jobs.enqueued()] == ["k"]


@pytest.mark.parametrize(
    "use",
    [
        lambda manager: JobProvider("double", result=int, manager=manager),
        lambda manager: JobProvider.family("double", payload=lambda ref, n: n, result=int, manager=manager),
        lambda manager: JobProviders(
            manager=manager, counts=never, jobs_by_status=never, job=never, service=never, service_state=never
        ),
        lambda manager: dashboard(ProviderContainer(), manager=manager),
    ],
)
@pytest.mark.parametrize("given", ["manager", None, "app.db", BackgroundJobManager.open])
async def test_a_manager_that_is_not_of_a_provider_is_refused_where_it_is_declared(tmp_path, use, given):
    async with BackgroundJobManager.open(tmp_path / "app.db") as manager:
        with pytest.raises(JobArgumentError, match=r"must be a Provider or a FutureProvider") as caught:
            use(manager if given == "manager" else given)
    assert ("Provider(lambda ref: manager)" in str(caught.value)) == (given == "manager")


async def test_the_screens_wait_for_a_manager_that_is_opened_asynchronously(tmp_path):
    may_open = asyncio.Event()
    manager_provider = manager_opened_after(may_open, tmp_path / "app.db")
    providers = JobProviders(
        manager=manager_provider, counts=never, jobs_by_status=never, job=never, service=never, service_state=never
    )
    async with ProviderContainer() as container, asyncio.timeout(25):
        queries = (providers.matching(JobQuery(text="tea")), declare_sources(manager_provider, None).jobs(JobQuery()))
        for query in queries:
            container.listen(query, lambda before, after: None, fire_immediately=True)
            assert isinstance(container.read(query), AsyncLoading)
        may_open.set()
        manager = await container.read(manager_provider.future)
        job_id = await manager.enqueue("buy", "tea")
        for query in queries:
            while not (await container.read(query.future)):
                await asyncio.sleep(0.005)
            assert [job.id for job in await container.read(query.future)] == [job_id]
        assert container.read(providers.manager) is manager
