"""A service on a server: the calls of one on a file, also with two machines."""

import os
import signal
import socket
from datetime import timedelta

import psutil
import pytest

from tests.integration.postgres.conftest import BOUND, first, worker_of
from tetherpy.database import DatabaseUnavailableError, PostgresDatabase
from tetherpy.jobs import BackgroundJobStatus, NewJob
from tetherpy.service import BackgroundService, WorkerStartError

RUNNING, CANCELLED = BackgroundJobStatus.RUNNING, BackgroundJobStatus.CANCELLED


async def test_a_job_and_its_writes_commit_together(make_service, db, manager):
    service = make_service(database=db)
    await service.start()
    assert await service.is_running()
    job = await manager.wait_for(await service.job("exactly_once", {"n": 1}), BOUND)
    assert job.result == {"n": 1}
    row = await db.get("SELECT job_id, worker FROM effects")
    assert tuple(row) == (job.id, await worker_of(service))
    await service.stop()
    assert not await service.is_running()


async def test_a_job_of_a_killed_worker_runs_again_at_once_and_is_cancelled_by_push(make_service, manager):
    service = make_service()
    await service.start()
    job_id = await service.job("until_cancelled")
    await first(manager.watch_job(job_id), lambda job: job.progress)
    os.kill(await worker_of(service), signal.SIGKILL)
    job = await first(manager.watch_job(job_id), lambda job: job.attempts == 2 and job.progress)
    assert job.status is RUNNING
    assert (await manager.get_attempts(job_id))[0].outcome == "worker died"
    await manager.cancel_job(job_id)
    assert (await manager.wait_for(job_id, BOUND)).status is CANCELLED


async def test_two_machines_share_the_work_and_one_takes_over_after_the_lease(make_service, manager):
    lease = timedelta(seconds=0.6)
    one = make_service("one", concurrency=1, lease=lease)
    await one.start()
    two = make_service("two", concurrency=1, lease=lease)
    await two.start()
    pids = {await worker_of(one), await worker_of(two)}
    assert len(pids) == 2
    job_id = await one.job("until_cancelled")
    running = await first(manager.watch_job(job_id), lambda job: job.progress)
    (worker,) = [worker for worker in await manager.engine.workers() if worker.id == running.claimed_by]
    for pid in (psutil.Process(worker.pid).ppid(), worker.pid):
        os.kill(pid, signal.SIGKILL)
    again = await first(manager.watch_job(job_id), lambda job: job.attempts == 2 and job.progress)
    assert again.claimed_by != running.claimed_by
    assert (await manager.get_attempts(job_id))[0].outcome == "lease expired"


async def test_jobs_run_on_both_machines(make_service, manager):
    one = make_service("one", concurrency=1)
    await one.start()
    two = make_service("two", concurrency=1)
    await two.start()
    ids = await manager.enqueue_many([NewJob(job_key="whose") for _ in range(200)])
    jobs = [await manager.wait_for(job_id, BOUND) for job_id in ids]
    assert {job.result for job in jobs} == {await worker_of(one), await worker_of(two)}
    assert all(job.attempts == 1 for job in jobs)


async def test_the_password_is_in_no_argument_file_name_log_or_message(postgres_url, monkeypatch, tmp_path):
    # With trust authentication the server ignores the password.
    secret = "c0rrect-horse"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    url = postgres_url.replace("postgres:@", f"postgres:{secret}@")
    assert secret in url
    service = BackgroundService(url, "postgres_worker:initialize")
    try:
        await service.start()
        for pid in (await worker_of(service), psutil.Process(await worker_of(service)).ppid()):
            assert not any(secret in argument for argument in psutil.Process(pid).cmdline())
        with pytest.raises(WorkerStartError) as raised:
            await BackgroundService(url + "&sslmode=bad", "postgres_worker:initialize").start()
        assert secret not in str(raised.value)
    finally:
        await service.stop(0)
        await service.aclose()
    paths = list((tmp_path / "state").rglob("*"))
    assert "worker.log" in {path.name for path in paths}
    for path in paths:
        assert secret not in str(path)
        assert not path.is_file() or secret.encode() not in path.read_bytes()


async def test_an_unreachable_server_is_one_clear_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(DatabaseUnavailableError) as raised:
            await PostgresDatabase.open(f"postgresql://me:s3cret@127.0.0.1:{port}/app", connect_timeout=0.2)
    assert "s3cret" not in str(raised.value)
    assert str(port) in str(raised.value)
