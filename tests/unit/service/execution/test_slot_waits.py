"""A handler that waits for another job, in a worker without a free slot for that job."""

import asyncio

import pytest

from tetherpy.database import Database
from tetherpy.jobs import JOB_MIGRATIONS, Ack, BackgroundJobManager, Completed, SyncJobManager, engine_of
from tetherpy.reactive import Provider, ProviderContainer
from tetherpy.service import InlineWorker, JobProvider


async def parent(service, payload, db):
    """Wait for a child job as the payload says."""
    manager = BackgroundJobManager(db)
    if payload == "provider":
        child = JobProvider("child", queue="children", result=object, manager=Provider(lambda ref: manager))
        async with ProviderContainer() as container:
            return await container.read(child.future)
    return (await manager.wait_for(await manager.enqueue("child", queue="children"))).result


def in_thread(service, payload, db):
    """Wait in the handler's thread."""
    manager = SyncJobManager(db)
    return manager.wait_for(manager.enqueue("child", queue="children")).result


def in_own_loop(service, payload, db):
    """Wait in a separate loop of the handler's thread, with a database that it opens."""

    async def wait():
        async with Database.open(db.address) as own:
            manager = BackgroundJobManager(own)
            return (await manager.wait_for(await manager.enqueue("child", queue="children"))).result

    return asyncio.run(wait())


async def run(tmp_path, *, concurrency, handler=parent, payload=None):
    async with Database.open(tmp_path / "app.db", migrations=JOB_MIGRATIONS) as db:
        manager = BackgroundJobManager(db)
        async with InlineWorker.open(db, concurrency=concurrency) as worker:
            worker.service.register_job_handler("parent", handler)
            worker.service.register_job_handler("child", lambda service, payload, db: "done")
            ids = [await manager.enqueue("parent", payload) for _ in range(2)]
            helper = asyncio.create_task(help_out(db))
            async with asyncio.timeout(25):
                await worker.drain(lambda ack: None)
            helper.cancel()
            return [job.result for job in [await manager.get_job_by_id(job_id) for job_id in ids]]


async def help_out(db):
    """Run the child jobs, like a second worker of their queue."""
    engine = engine_of(db)
    while True:
        claims = (await engine.ack_and_fetch("helper", [], 1, ["children"])).claims
        await engine.ack_and_fetch("helper", [Ack(claim, Completed('"done"')) for claim in claims], 0, None)
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("handler", "payload"), [(parent, None), (parent, "provider"), (in_thread, None), (in_own_loop, None)]
)
async def test_a_worker_whose_slots_all_wait_warns_once_with_a_remedy(tmp_path, caplog, handler, payload):
    assert await run(tmp_path, concurrency=1, handler=handler, payload=payload) == ["done", "done"]
    (warning,) = [message for message in caplog.messages if "slots" in message]
    assert "'parent'" in warning
    assert "concurrency=1" in warning
    assert "Raise concurrency" in warning


async def test_a_worker_with_a_free_slot_does_not_warn(tmp_path, caplog):
    assert await run(tmp_path, concurrency=3) == ["done", "done"]
    assert not [message for message in caplog.messages if "slots" in message]
