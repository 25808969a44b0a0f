"""A JobProvider that is given a definition: its types, its options, and its errors."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tests.support.job_options import every_option, options_of
from tests.support.mail import Mail, Receipt
from tetherpy import (
    BackgroundJobManager,
    JobCancelledError,
    JobDefinition,
    JobDefinitionError,
    JobFailedError,
    JobProvider,
    JobProviderError,
    OutsideScopeError,
    Provider,
    ProviderContainer,
    Ref,
)
from tetherpy.jobs import JobOptions
from tetherpy.service import InlineWorker


@Provider
def manager_provider(ref: Ref) -> BackgroundJobManager:
    raise NotImplementedError


def declared() -> JobDefinition[Mail, Receipt]:
    return JobDefinition("send_mail", payload=Mail, result=Receipt, queue="mail", max_attempts=1)


@pytest.fixture
def container(manager: BackgroundJobManager) -> ProviderContainer:
    return ProviderContainer(overrides=[manager_provider.override_with_value(manager)])


async def test_its_value_is_the_result_and_its_options_are_those_of_the_definition(
    worker: InlineWorker, container: ProviderContainer
) -> None:
    definition = declared()

    @definition.handler
    async def deliver(service: Any, payload: Mail, db: Any) -> Receipt:
        return Receipt(len(payload.to))

    worker.service.register_jobs(definition)
    provider = JobProvider(definition, payload=Mail("ada"), manager=manager_provider, priority=3)
    async with container:
        container.listen(provider, lambda previous, value: None)
        manager = container.read(manager_provider)
        (job,) = await jobs_of(manager)
        assert (job.queue, job.priority, job.max_attempts) == ("mail", 3, 1)
        await worker.drain(lambda ack: None)
        assert await container.read(provider.future) == Receipt(3)


async def test_its_options_are_those_of_the_stored_job(container: ProviderContainer) -> None:
    options = {name: value for name, value in every_option().items() if name in JobOptions.__annotations__}
    provider = JobProvider("count", result=int, manager=manager_provider, **cast("JobOptions", options))
    async with container:
        container.listen(provider, lambda previous, value: None)
        (job,) = await jobs_of(container.read(manager_provider))
    stored = options_of(job)
    assert {name: stored[name] for name in options} == options
    assert options.keys() == stored.keys() - {"unique_key"}


async def test_its_error_is_the_one_of_a_result(worker: InlineWorker, container: ProviderContainer) -> None:
    definition = declared()

    @definition.handler
    async def fail(service: Any, payload: Mail, db: Any) -> Receipt:
        raise OSError("no route to host")

    worker.service.register_jobs(definition)
    failing = JobProvider(definition, payload=Mail("ada"), manager=manager_provider)
    cancelled = JobProvider(definition, payload=Mail("bob"), manager=manager_provider, name="cancelled")
    async with container:
        manager = container.read(manager_provider)
        container.listen(cancelled, lambda previous, value: None)
        (job,) = await jobs_of(manager)
        await manager.cancel_job(job.id)
        container.listen(failing, lambda previous, value: None)
        await jobs_of(manager)
        await worker.drain(lambda ack: None)
        with pytest.raises(JobFailedError) as failed:
            await container.read(failing.future)
        with pytest.raises(JobCancelledError) as ended:
            await container.read(cancelled.future)
        assert isinstance(failed.value, JobProviderError)
        assert isinstance(ended.value, JobProviderError)


async def test_another_version_has_another_job(container: ProviderContainer) -> None:
    """Without a version a changed handler would go on showing the old result."""

    def of(declared: str | None, **options: Any) -> JobProvider[None]:
        job = JobDefinition("report", payload=int, version=declared)
        return JobProvider(job, payload=7, manager=manager_provider, **options)

    async with container:
        manager = container.read(manager_provider)
        providers = (of(None), of("1"), of("2"), of("1", version="3"), of("2"), of("1", version="2"), of(None))
        for provider in providers:
            container.listen(provider, lambda previous, value: None)
        jobs = await jobs_of(manager, 4)
        assert sorted(str(job.version) for job in jobs) == ["1", "2", "3", "None"]


async def test_it_may_belong_to_a_request_and_its_job_to_no_request(container: ProviderContainer) -> None:
    provider = JobProvider(declared(), payload=Mail("ada"), manager=manager_provider, scope="request")
    async with container:
        with pytest.raises(OutsideScopeError):
            container.read(provider)
        for _ in range(2):
            async with container.child(scope="request") as request:
                request.listen(provider, lambda previous, value: None)
                await jobs_of(container.read(manager_provider))
        assert len(await container.read(manager_provider).get_all_jobs()) == 1


def test_a_definition_has_the_type_of_the_result() -> None:
    with pytest.raises(JobDefinitionError, match="result too"):
        JobProvider(declared(), payload=Mail("ada"), result=str, manager=manager_provider)  # type: ignore[call-overload]


@pytest.mark.parametrize("declare", [JobProvider, JobProvider.family])
@pytest.mark.parametrize(
    ("job", "options", "wrong"),
    [
        (5, {}, "job_key"),
        ("mail", {"priority": "high"}, "priority"),
        (declared(), {"timeout": -1}, "timeout"),
        ("mail", {"retri": 1}, "retri"),
        (declared(), {"unique_key": "a"}, "unique_key"),
    ],
)
def test_a_wrong_key_or_option_is_refused_where_it_is_declared(
    declare: Any, job: Any, options: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(TypeError, match=wrong):
        declare(job, payload=lambda ref: None, manager=manager_provider, **options)


async def jobs_of(manager: BackgroundJobManager, number: int = 1) -> list[Any]:
    async for jobs in manager.watch_jobs_by_status("PENDING"):
        if len(jobs) >= number:
            return jobs
    raise AssertionError
