"""A platform without ``fork``, Unix sockets and file locks, such as Windows: workers run in the app."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.new_interpreter]

ROOT = Path(__file__).parents[3]
PLUGIN = "tests.integration.limited_platform.without_processes"

PROGRAM = """
import asyncio, importlib, pkgutil, sys
from tests.integration.limited_platform.without_processes import take_away

take_away()
import tetherpy
from tetherpy import BackgroundJobManager, BackgroundService, SyncJobManager
from tetherpy import NoWorkerProcessesError, ServiceNotRunningError

for name in tetherpy.__all__:
    getattr(tetherpy, name)
for package in ("cli", "database", "durable", "generator", "jobs", "reactive", "service", "testing"):
    paths = importlib.import_module(f"tetherpy.{package}").__path__
    for module in pkgutil.walk_packages(paths, f"tetherpy.{package}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)

address = sys.argv[1]


async def echo(service, payload, db):
    return payload


def count(service, payload, db):
    with db.transaction() as tx:
        service.complete(tx.get("SELECT count(*) AS n FROM background_service_workers")["n"], transaction=tx)


async def stop(service, payload, db):
    service.stop_self()


def initialize(service):
    service.register_job_handler("stop", stop)
    service.register_job_handler("echo", echo)
    service.register_job_handler("count", count)


async def main():
    service = BackgroundService(address, initialize)
    states = []
    subscription = service.state.subscribe(states.append)
    try:
        await service.invoke("nothing", 1)
    except ServiceNotRunningError:
        pass
    async with service, BackgroundJobManager.open(address) as manager:
        assert await manager.result(await service.job("echo", [1]), 25) == [1]
        assert await manager.result(await service.job("count"), 25) == 1
        assert states[-1].running
    assert not await service.is_running()
    assert not states[-1].running
    await service.start()
    assert await service.is_running()
    await service.stop()
    assert not await service.is_running()
    subscription.dispose()
    await service.aclose()


asyncio.run(main())
with SyncJobManager.open(address) as jobs:
    assert jobs.get_counts().completed == 2
    jobs.enqueue("stop")
    assert tetherpy.service.run_worker(address, initialize) == 0  # until the job stops it
    assert jobs.get_counts().completed == 3
try:
    asyncio.run(BackgroundService(address, initialize, detached=True).start())
except NoWorkerProcessesError as error:
    print(error)
"""


def run(*arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def test_the_suite_of_the_engines_passes() -> None:
    output = run("-m", "pytest", "-q", "-p", PLUGIN, "-p", "no:cacheprovider", "tests/engines", "-k", "sqlite")
    assert "passed" in output
    assert "failed" not in output


def test_every_module_is_imported_and_workers_run_in_the_app(tmp_path: Path) -> None:
    assert "Detached workers" in run("-c", PROGRAM, str(tmp_path / "app.db"))
