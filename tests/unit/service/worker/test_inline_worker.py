"""A worker in the loop of the test: the same parts without a process."""

import asyncio
from datetime import timedelta

import pytest

from tetherpy.database import Database
from tetherpy.jobs import BackgroundJobManager, Backoff, JobQuery, NewJob, Snooze, read_jobs
from tetherpy.service import InlineWorker


async def drained(worker):
    acks = []
    async with asyncio.timeout(25):
        await worker.drain(acks.append)
    return [(ack.claim.id, type(ack.outcome).__name__) for ack in acks]


async def test_an_inline_worker_runs_due_jobs_and_the_jobs_they_enqueue(worker, manager):
    async def parent(service, payload, db):
        await BackgroundJobManager(db).enqueue("child")

    worker.service.register_job_handler("parent", parent)
    worker.service.register_job_handler("child", lambda service, payload, db: None)
    await manager.enqueue_many([NewJob(job_key="parent"), NewJob(job_key="child", delay=60)])
    assert await drained(worker) == [(1, "Completed"), (3, "Completed")]
    assert await drained(worker) == []
    assert (await manager.get_counts()).by_status == {
        "PENDING": 1,
        "RUNNING": 0,
        "COMPLETED": 2,
        "FAILED": 0,
        "CANCELLED": 0,
    }


async def test_attempts_end_like_in_a_worker_process(worker, manager):
    async def snooze(service, payload, db):
        raise Snooze(60)

    async def fail(service, payload, db):
        raise ValueError("no")

    worker.service.register_job_handler("snooze", snooze)
    worker.service.register_job_handler("fail", fail, retry=Backoff(initial=timedelta(0)))
    await manager.enqueue_many(NewJob(job_key=key) for key in ("snooze", "fail", "unknown"))
    outcomes = await drained(worker)
    assert sorted(outcomes) == [(1, "Snoozed"), (2, "Failed"), (2, "Failed"), (2, "Failed"), (3, "Failed")]
    assert "unknown" in (await manager.get_job_by_id(3)).last_error


async def test_a_handler_that_stops_the_worker_leaves_the_remaining_jobs(tmp_path):
    async def stop(service, payload, db):
        await service.invoke("stopping", {"job": service.job.id})
        service.stop_self()

    async with Database.open(tmp_path / "app.db") as db, InlineWorker.open(db, concurrency=1) as worker:
        worker.service.register_job_handler("stop", stop)
        manager = BackgroundJobManager(db)
        await manager.enqueue_many([NewJob(job_key="stop")] * 2)
        assert await drained(worker) == [(1, "Completed")]
        assert await drained(worker) == [(2, "Completed")]
        assert worker.messages == [("stopping", {"job": 1}), ("stopping", {"job": 2})]


async def test_a_running_job_is_cancelled_on_request(worker, manager):
    began = asyncio.Event()

    async def endless(service, payload, db):
        began.set()
        await asyncio.Event().wait()

    worker.service.register_job_handler("endless", endless)
    job_id = await manager.enqueue("endless")
    draining = asyncio.create_task(drained(worker))
    await began.wait()
    assert worker.running == {job_id}
    await manager.cancel_job(job_id)
    assert await draining == [(job_id, "Cancelled")]


async def test_context_managers_of_the_callback_exit_and_its_errors_are_raised(tmp_path):
    left = []

    class Resource:
        async def __aenter__(self):
            return self

        async def __aexit__(self, *error):
            left.append(self)

    async def initialize(service):
        left.append(await service.enter(Resource()))
        raise OSError("later")

    async with Database.open(tmp_path / "app.db") as db:
        async with InlineWorker.open(db) as worker:
            with pytest.raises(OSError, match="later"):
                await worker.initialize(initialize)
            (resource,) = left
        assert left == [resource, resource]


async def test_a_database_file_is_read_without_a_loop(worker, manager, tmp_path):
    await manager.enqueue("mail", {"to": "Ada"})
    await manager.enqueue("other")
    assert [job.payload for job in read_jobs(tmp_path / "app.db", JobQuery(job_key="mail"))] == [{"to": "Ada"}]
    assert read_jobs(tmp_path / "none.db", JobQuery()) == []


async def test_a_database_without_job_tables_has_no_jobs(tmp_path):
    async with Database.open(tmp_path / "plain ?.db"):
        pass
    assert read_jobs(tmp_path / "plain ?.db", JobQuery()) == []
