"""The examples of the original specification, run with a real worker."""

import pytest

from examples.seed.app import (
    MyBackgroundJobEnqueueService,
    check_job_status_utility,
    enqueue_dummy_task,
    pending_jobs,
)
from providers import (
    background_job_manager_provider,
    background_service_provider,
    database_provider,
    job_stream_provider,
    pending_jobs_stream_provider,
    service_state_stream_provider,
)
from tests.support.streams import first_data
from tetherpy import ProviderContainer
from tetherpy.jobs import BackgroundJobStatus


@pytest.fixture(params=["sqlite", "postgres"])
async def container(request, tmp_path, monkeypatch):
    if request.param == "postgres":
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        address = request.getfixturevalue("postgres_url")
    else:
        address = str(tmp_path / "app.db")
    monkeypatch.setenv("TETHERPY_DATABASE", address)
    async with ProviderContainer() as container:
        service = container.read(background_service_provider)
        yield container
        await service.stop(timeout=5)


async def test_the_dummy_task_runs_in_the_worker_and_shows_its_steps(container):
    service = container.read(background_service_provider)
    assert not await service.is_running()
    await service.start()
    assert await service.is_running()

    job_id = await enqueue_dummy_task(container)
    shown = await first_data(
        container, service_state_stream_provider, lambda state: "Dummy Task Progress" in state.notification_title
    )
    assert "Step" in shown.notification_content
    job = await first_data(
        container, job_stream_provider(job_id), lambda job: job.status is BackgroundJobStatus.COMPLETED
    )
    assert job.attempts == 1
    assert job.priority == 1
    assert job.result["steps"] == 5


async def test_jobs_are_pending_until_a_worker_runs_and_the_manager_shows_them(container):
    job_id = await enqueue_dummy_task(container)
    assert [job.id for job in await pending_jobs(container)] == [job_id]
    streamed = await first_data(container, pending_jobs_stream_provider, bool)
    assert [job.id for job in streamed] == [job_id]

    await container.read(background_service_provider).start()
    await container.read(background_job_manager_provider).wait_for(job_id, timeout=25)
    assert await pending_jobs(container) == []


async def test_a_service_class_and_a_helper_use_the_container(container):
    await container.read(background_service_provider).start()
    job_id = await MyBackgroundJobEnqueueService(container).schedule_report_generation("dailySummary")
    await container.read(database_provider.future)
    job = await container.read(background_job_manager_provider).wait_for(job_id, timeout=25)
    assert job.payload == {"message": "dailySummary", "requested_by": "main process"}
    assert await check_job_status_utility(container, job_id) == f"Job {job_id} status: COMPLETED, attempts: 1"
    assert await check_job_status_utility(container, 10**6) == "Job 1000000 not found."


async def test_the_complex_handler_creates_its_services_in_a_separate_container(container):
    service = container.read(background_service_provider)
    await service.start()
    db = await container.read(database_provider.future)
    job_id = await service.job("complexDataProcessing", {"query_key": "userActivity"})
    job = await container.read(background_job_manager_provider).wait_for(job_id, timeout=25)
    assert job.result == {"processed_count": 1, "summary": "Processed successfully"}
    row = await db.get("SELECT * FROM job_results")
    assert row["query_key"] == "userActivity"
    assert row["job_key"] == "complexDataProcessing"


async def test_a_payload_without_a_required_key_fails_at_once_and_names_the_field(container):
    service = container.read(background_service_provider)
    await service.start()
    job_id = await service.job("complexDataProcessing", {"queryKey": "userActivity"})
    await container.read(database_provider.future)
    job = await container.read(background_job_manager_provider).wait_for(job_id, timeout=25)
    assert job.status is BackgroundJobStatus.FAILED
    assert job.attempts == 1
    assert "query_key" in job.last_error
