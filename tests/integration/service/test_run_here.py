"""A worker in the event loop of the app: ``async with service.run_here()``."""

import asyncio
import contextlib
import logging
import os
import sys
import threading

import pytest

from tests.support.waiting import turns, until
from tetherpy.database import Database
from tetherpy.jobs import BackgroundJobManager, BackgroundJobStatus, open_database
from tetherpy.service import (
    BackgroundService,
    CallbackNameError,
    ServiceAlreadyRunningError,
    ServiceNotRunningError,
    WorkerStartError,
)

PENDING, COMPLETED, CANCELLED = (
    BackgroundJobStatus.PENDING,
    BackgroundJobStatus.COMPLETED,
    BackgroundJobStatus.CANCELLED,
)


@pytest.fixture(params=["sqlite", "postgres"])
def address(request):
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return request.getfixturevalue("tmp_path") / "app.db"


@pytest.fixture
async def manager(address):
    async with open_database(address) as db:
        yield BackgroundJobManager(db)


class App:
    """Handlers that note what happens; a function inside a test can be the callback."""

    def __init__(self):
        self.started = asyncio.Event()
        self.received = []

    async def initialize(self, service):
        service.register_job_handler("whoami", self.whoami)
        service.register_job_handler("in thread", self.in_thread)
        service.register_job_handler("forever", self.forever)
        service.register_job_handler("stubborn", self.stubborn)
        service.register_periodic_job("ticks", "whoami", every=0.05)
        service.on("to workers").subscribe(self.received.append)

    async def whoami(self, service, payload, db):
        await service.invoke("to apps", payload)
        return [os.getpid(), threading.get_ident()]

    def in_thread(self, service, payload, db):
        service.set_foreground_notification_info("busy", payload)
        with db.transaction() as tx:
            service.complete(threading.get_ident(), transaction=tx)

    async def forever(self, service, payload, db):
        self.started.set()
        await asyncio.sleep(3600)

    async def stubborn(self, service, payload, db):
        self.started.set()
        while not service.cancelled:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
        return "ignored"


async def test_jobs_run_in_this_process_on_both_databases(address, manager):
    app, threads = App(), set(threading.enumerate())
    service = BackgroundService(address, app.initialize, database=manager.database)
    sent = []
    service.on("to apps").subscribe(sent.append)
    states = []
    service.state.subscribe(states.append)
    async with service.run_here() as entered:
        assert entered is service
        assert await service.is_running()
        job_id = await service.job("whoami", "hello")
        assert await manager.result(job_id, 25) == [os.getpid(), threading.get_ident()]
        assert await manager.result(await service.job("in thread", "x"), 25) != threading.get_ident()
        await until(lambda: "hello" in sent and None in sent)  # None: a job of the schedule
        await service.invoke("to workers", {"n": 1})
        assert app.received == [{"n": 1}]
        (worker,) = await manager.get_workers()
        assert worker.pid == os.getpid()
        await until(lambda: states[-1].running and states[-1].notification_title == "busy")
        assert [entry.id for entry in states[-1].workers] == [worker.id]
        assert states[-1].started_at is not None
        assert "forever" in {handler.job_key for handler in (await anext(aiter(service.manifest))).handlers}
    assert not await service.is_running()
    assert not states[-1].running
    assert await manager.get_workers() == []
    await until(lambda: set(threading.enumerate()) <= threads)


async def test_the_end_of_the_block_releases_jobs_that_do_not_finish_in_time(manager, address):
    app = App()
    async with BackgroundService(address, app.initialize, stop_timeout=0.01).run_here() as service:
        running = await service.job("forever")
        await app.started.wait()
    job = await manager.get_job_by_id(running)
    assert (job.status, job.attempts) == (PENDING, 0)


async def test_the_end_of_the_block_waits_for_running_jobs(tmp_path):
    app, released = App(), asyncio.Event()

    async def slow(service, payload, db):
        app.started.set()
        await released.wait()
        return "done"

    async with BackgroundJobManager.open(tmp_path / "app.db") as manager:
        service = BackgroundService(
            tmp_path / "app.db", lambda service: service.register_job_handler("slow", slow), database=manager.database
        )
        async with service.run_here():
            job_id = await service.job("slow")
            await app.started.wait()
            asyncio.get_running_loop().call_later(0.05, released.set)
        assert (await manager.get_job_by_id(job_id)).result == "done"


async def test_a_block_that_is_cancelled_releases_its_jobs(tmp_path):
    app = App()

    async def block():
        async with BackgroundService(tmp_path / "app.db", app.initialize).run_here() as service:
            await service.job("stubborn")
            await asyncio.sleep(3600)

    task = asyncio.create_task(block())
    await asyncio.wait_for(app.started.wait(), 25)
    task.cancel()
    await turns(3)
    task.cancel()  # a second Ctrl-C, while the end of the block waits for the job
    await asyncio.wait_for(asyncio.wait([task]), 25)
    assert task.cancelled()
    async with BackgroundJobManager.open(tmp_path / "app.db") as manager:
        (job,) = [job for job in await manager.get_all_jobs() if job.job_key == "stubborn"]
        assert job.status is PENDING
        assert await manager.get_workers() == []


async def test_a_running_job_is_cancelled_on_request(tmp_path):
    app = App()
    async with BackgroundService(tmp_path / "app.db", app.initialize).run_here() as service:
        job_id = await service.job("forever")
        await app.started.wait()
        async with BackgroundJobManager.open(tmp_path / "app.db") as manager:
            await manager.cancel_job(job_id)
            assert (await manager.wait_for(job_id, 25)).status is CANCELLED


async def test_a_start_that_fails_leaves_nothing_and_can_be_repeated(tmp_path):
    entered = []

    @contextlib.asynccontextmanager
    async def resource():
        entered.append("open")
        yield
        entered.append("closed")

    async def initialize(service):
        await service.enter(resource())
        if len(entered) == 1:
            raise ValueError("no configuration")

    service = BackgroundService(tmp_path / "app.db", initialize)
    with pytest.raises(WorkerStartError, match="no configuration") as caught:
        await service.run_here().__aenter__()
    assert "in initialize" in caught.value.worker_traceback
    assert entered == ["open", "closed"]
    async with service.run_here():
        assert await service.is_running()
    assert entered == ["open", "closed"] * 2


async def test_a_callback_that_does_not_return_fails_the_start(tmp_path):
    async def initialize(service):
        await asyncio.sleep(3600)

    service = BackgroundService(tmp_path / "app.db", initialize, start_timeout=0.05)
    with pytest.raises(WorkerStartError, match="not ready within"):
        await service.run_here().__aenter__()
    assert not await service.is_running()


async def test_a_handler_may_stop_the_worker(tmp_path):
    async def last(service, payload, db):
        service.stop_self()

    service = BackgroundService(tmp_path / "app.db", lambda service: service.register_job_handler("last", last))
    async with service.run_here():
        await service.job("last")
        await until(lambda: _is_stopped(service))
    async with Database.open(tmp_path / "app.db") as db:
        assert await BackgroundJobManager(db).get_workers() == []


async def _is_stopped(service):
    return not await service.is_running()


async def test_one_object_runs_one_worker_here_and_another_one_after_its_end(tmp_path):
    service = BackgroundService(tmp_path / "app.db", App().initialize)
    async with service.run_here():
        with pytest.raises(ServiceAlreadyRunningError):
            await service.run_here().__aenter__()
        await service.stop()
        with pytest.raises(ServiceNotRunningError):
            await service.invoke("to workers")
        async with service.run_here():
            assert await service.is_running()


async def test_the_loggers_of_the_app_are_left_alone(tmp_path):
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    async with BackgroundService(tmp_path / "app.db", App().initialize).run_here():
        assert (list(root.handlers), root.level) == before


async def test_what_a_job_logs_is_stored_and_only_its_records_get_its_fields(address, manager, caplog):
    async def talk(service, payload, db):
        logging.getLogger("shop").warning("of the job")

    service = BackgroundService(address, lambda service: service.register_job_handler("talk", talk))
    async with service.run_here():
        logging.getLogger("shop").warning("of the app")
        job_id = await service.job("talk")
        await manager.wait_for(job_id, 25)
    (attempt,) = await manager.get_attempts(job_id)
    assert attempt.logs.endswith("WARNING shop: of the job")
    outside, inside = [record for record in caplog.records if record.name == "shop"]
    assert not hasattr(outside, "job_id")
    assert (inside.job_id, inside.job_key, inside.attempt) == (job_id, "talk", 1)


async def test_jobs_of_a_killed_app_are_rescued_by_a_worker_that_runs_here(tmp_path):
    """The lock of the dead worker shows its death at once, long before the lease ends."""
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c",
        """if True:
            import asyncio, sys
            from tetherpy import BackgroundService

            async def hang(service, payload, db):
                print("running", flush=True)
                await asyncio.sleep(3600)

            async def main():
                service = BackgroundService(sys.argv[1], lambda service: service.register_job_handler("job", hang))
                async with service.run_here():
                    await service.job("job")
                    await asyncio.sleep(3600)

            asyncio.run(main())
        """,
        str(tmp_path / "app.db"), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert await asyncio.wait_for(killed.stdout.readline(), 25) == b"running\n"

    async def finish(service, payload, db):
        return service.job.attempts

    service = BackgroundService(
        tmp_path / "app.db", lambda service: service.register_job_handler("job", finish), lease=3600
    )
    async with service.run_here(), BackgroundJobManager.open(tmp_path / "app.db") as manager:
        killed.kill()
        await killed.wait()
        assert (await manager.wait_for(1, 25)).result == 2
        assert [attempt.outcome for attempt in await manager.get_attempts(1)] == ["worker died", "completed"]


async def test_a_function_that_no_process_can_import_runs_here_only(tmp_path):
    service = BackgroundService(tmp_path / "app.db", lambda service: None)
    with pytest.raises(CallbackNameError, match="lambda"):
        await service.start()
    async with service.run_here():
        assert await service.is_running()
