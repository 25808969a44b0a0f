"""Containers of jobs, periodic jobs and retention."""

import os
import signal
from datetime import timedelta
from itertools import pairwise

import pytest

from tetherpy.jobs import BackgroundJobStatus


@pytest.fixture
async def service(shared_service):
    return await shared_service("rich_worker:initialize", processes=2)


async def test_each_job_has_its_own_container(service, finished):
    named = await service.job("sentence", "Ann")
    plain = await service.job("sentence")
    assert (await finished(named)).result == "Hello, Ann"
    assert (await finished(plain)).result == "Hello, nobody"


async def test_a_handler_finds_the_database_of_its_service_in_the_environment(service, finished, database_name):
    """The providers of an app and the commands that a handler starts take the database from this variable."""
    assert (await finished(await service.job("database_variable"))).result == database_name


async def test_a_container_that_a_handler_leaves_open_is_disposed_with_the_job(service, finished, tmp_path):
    job = await finished(await service.job("careless", str(tmp_path / "trace")))
    assert job.result == "open"
    assert (tmp_path / "trace").read_text() == "disposed"


async def test_a_tick_is_enqueued_once_for_all_workers(service, manager, until):
    async def ticks():
        return await manager.get_jobs_by_job_key("tick")

    async def enough():
        return len(await ticks()) >= 3

    await until(enough)
    created = sorted(job.created_at for job in await ticks())
    assert len(created) == len(set(created))
    spans = [later - earlier for earlier, later in pairwise(created)]
    assert min(spans) > timedelta(milliseconds=100)


async def test_finished_jobs_are_deleted_after_the_retention(make_service, manager, until):
    service = make_service(retention=timedelta(milliseconds=200))
    await service.start()
    job_id = await service.job("nap", 0.0)

    async def gone():
        return await manager.get_job_by_id(job_id) is None

    await until(gone)
    await service.stop(0)


async def test_a_worker_claims_only_from_its_queues(make_service, manager, finished):
    service = make_service(queues=("mail",))
    await service.start()
    other = await service.job("echo", 1)
    mail = await service.job("echo", 2, queue="mail")
    assert (await finished(mail)).result == 2
    assert (await manager.get_job_by_id(other)).status == BackgroundJobStatus.PENDING
    await service.stop(0)


async def test_a_handler_in_a_thread_has_a_container(service, finished):
    job = await finished(await service.job("sentence_in_thread", "Ann", max_attempts=1))
    assert (job.last_error, job.result) == (None, "Hello, Ann")


@pytest.mark.parametrize("how", ["stop", "SIGTERM"])
async def test_the_container_of_a_worker_is_closed_at_its_end(how, make_service, finished, until, tmp_path):
    service = make_service("rich_worker:initialize")
    await service.start()
    trace = tmp_path / "trace"
    job = await finished(await service.job("shared", str(trace)))
    assert not trace.exists()
    if how == "stop":
        await service.stop(10)
    else:
        os.kill(job.result, signal.SIGTERM)

    async def disposed():
        return trace.exists() and trace.read_text() == "disposed"

    await until(disposed)
    await service.stop(0)
