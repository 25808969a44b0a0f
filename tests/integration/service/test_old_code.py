"""Workers whose code is older than its files are restarted by the next start, and shown."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import until

GREETER = """
import asyncio
from pathlib import Path

def initialize(service):
    service.register_job_handler("greet", greet)
    service.register_job_handler("wait", wait)

async def greet(service, payload, db):
    return "{greeting}"

async def wait(service, payload, db):
    while not Path(payload).exists():
        await asyncio.sleep(0.005)
    return "{greeting}"
"""


APP = """
import asyncio, sys
from tetherpy import BackgroundJobManager, BackgroundService

async def main():
    async with BackgroundJobManager.open(sys.argv[1]) as manager:
        service = BackgroundService(sys.argv[1], "greeter:initialize")
        await service.start()
        print(await manager.result(await manager.enqueue("greet"), timeout=25), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes the module of the workers, with a later time than before."""
    monkeypatch.syspath_prepend(str(tmp_path / "app"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "app").mkdir()
    source = tmp_path / "app" / "greeter.py"
    times = iter(range(1_700_000_000, 1_800_000_000))

    def write(greeting):
        source.write_text(GREETER.format(greeting=greeting))
        os.utime(source, (at := next(times), at))
        return str(source)

    return write


@pytest.fixture
def start(make_service, manager):
    """Return a function that starts the service; its value is the service and its state."""

    async def start(**options):
        service = make_service("greeter:initialize", **options)
        await service.start()
        return service, await state_of(service)

    return start


async def state_of(service, until_true=lambda state: state.running):
    states = []
    subscription = service.state.subscribe(states.append)
    try:
        await until(lambda: states and until_true(states[-1]))
        return states[-1]
    finally:
        subscription.dispose()


async def runs(manager, job_id):
    async def is_running():
        return (await manager.get_job_by_id(job_id)).status == "RUNNING"

    await until(is_running)


async def greeting_of(service, manager):
    return await manager.result(await service.job("greet"), timeout=25)


async def test_the_next_start_restarts_workers_with_old_code(start, write, manager):
    write("hello")
    service, first = await start()
    assert await greeting_of(service, manager) == "hello"
    assert first.changed_files == ()
    again, same = await start()
    assert same.workers == first.workers
    source = write("welcome")
    old = await state_of(again, lambda state: state.changed_files)
    assert (old.changed_files, old.workers) == ((source,), first.workers)
    later, new = await start()
    assert await greeting_of(later, manager) == "welcome"
    assert new.workers != first.workers
    assert new.changed_files == ()
    assert new.started_at > first.started_at


async def test_a_running_job_finishes_before_the_restart(start, write, manager, tmp_path):
    write("hello")
    service, _ = await start()
    job_id = await service.job("wait", str(tmp_path / "go"))

    await runs(manager, job_id)
    write("welcome")
    starting = asyncio.create_task(start())
    await state_of(service, lambda state: not state.running or state.changed_files)
    (tmp_path / "go").touch()
    later, _ = await starting
    job = await manager.get_job_by_id(job_id)
    assert (job.status, job.attempts, await manager.result(job_id, timeout=25)) == ("COMPLETED", 1, "hello")
    assert await greeting_of(later, manager) == "welcome"


async def test_a_job_that_does_not_finish_runs_again_with_the_new_code(start, write, manager, tmp_path):
    write("hello")
    service, _ = await start()
    job_id = await service.job("wait", str(tmp_path / "go"))

    await runs(manager, job_id)
    write("welcome")
    await start(start_timeout=4)
    (tmp_path / "go").touch()
    assert await manager.result(job_id, timeout=25) == "welcome"
    assert [attempt.outcome for attempt in await manager.get_attempts(job_id)] == ["released", "completed"]


def test_an_app_that_runs_again_after_a_change_has_the_new_code(write, database_path, tmp_path):
    app = tmp_path / "app" / "app.py"
    app.write_text(APP)

    def run_until_ctrl_c():
        with subprocess.Popen([sys.executable, str(app), str(database_path)], stdout=subprocess.PIPE, text=True) as run:
            printed = run.stdout.readline()
            run.send_signal(signal.SIGINT)
        return printed

    write("hello")
    assert run_until_ctrl_c() == "hello\n"
    write("welcome")
    assert run_until_ctrl_c() == "welcome\n"


@pytest.mark.parametrize("reaction", ["warn", "ignore"])
async def test_old_code_continues_on_request(start, write, manager, caplog, reaction):
    write("hello")
    _, first = await start()
    source = write("welcome")
    with caplog.at_level(logging.WARNING, "tetherpy.service"):
        service, same = await start(if_code_changed=reaction)
    assert same.workers == first.workers
    assert await greeting_of(service, manager) == "hello"
    warnings = [record.getMessage() for record in caplog.records if record.name == "tetherpy.service"]
    assert [source in text for text in warnings] == ([True] if reaction == "warn" else [])


async def test_with_reload_a_successor_starts_before_the_old_worker_has_finished(
    start, write, manager, tmp_path, worker_log
):
    write("hello")
    service, first = await start(reload=True)
    job_id = await service.job("wait", str(tmp_path / "go"))
    await runs(manager, job_id)
    write("welcome")
    await state_of(service, lambda state: len(state.workers) == 2 and all(worker.id for worker in state.workers))
    while await greeting_of(service, manager) != "welcome":
        assert (await manager.get_job_by_id(job_id)).status == "RUNNING"
    (tmp_path / "go").touch()
    assert await manager.result(job_id, timeout=25) == "hello"
    new = await state_of(service, lambda state: len(state.workers) == 1)
    assert "its successor starts" not in worker_log.read_text()
    assert new.workers != first.workers
    assert [attempt.outcome for attempt in await manager.get_attempts(job_id)] == ["completed"]


async def test_with_reload_workers_survive_code_that_cannot_start(start, write, manager, worker_log):
    write("hello")
    service, first = await start(reload=True)
    source = Path(write("broken"))
    source.write_text("this is no Python")
    await until(lambda: worker_log.read_text().count("the new code cannot start"))
    assert await greeting_of(service, manager) == "hello"
    assert (await state_of(service)).workers == first.workers
    write("fixed")
    await state_of(service, lambda state: state.workers != first.workers and len(state.workers) == 1)
    assert await greeting_of(service, manager) == "fixed"
