"""The compose file: well-formed, its commands exist, and its workers share the work."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.integration.postgres.conftest import BOUND
from tetherpy.jobs import BackgroundJobManager, NewJob, open_database

FOLDER = Path(__file__).parents[3] / "examples" / "many_machines"
SERVICES = YAML(typ="safe").load(FOLDER / "compose.yaml")["services"]


def tetherpy(command):
    assert command[0] == "tetherpy"
    return [sys.executable, "-m", "tetherpy.cli", *command[1:]]


def test_the_compose_file_has_a_server_three_workers_and_a_dashboard():
    assert set(SERVICES) == {"database", "worker", "dashboard"}
    assert SERVICES["worker"]["deploy"]["replicas"] == 3
    assert SERVICES["dashboard"]["ports"] == ["8321:8321"]
    for name in ("worker", "dashboard"):
        assert "@database/" in SERVICES[name]["environment"]["TETHERPY_DATABASE"]
    assert "TETHERPY_TOKEN" in SERVICES["dashboard"]["environment"]
    copied = (FOLDER / "Dockerfile").read_text()
    assert "COPY worker.py" in copied
    assert "worker:initialize" in SERVICES["worker"]["command"]


@pytest.mark.parametrize("name", ["worker", "dashboard"])
def test_the_options_of_its_commands_exist(name):
    command = SERVICES[name]["command"]
    done = subprocess.run(
        [*tetherpy(command[:2]), "--help"], capture_output=True, text=True, timeout=60, check=True, env=os.environ
    )
    options = {word for word in command if word.startswith("--")}
    assert options
    assert options <= set(re.findall(r"--[\w-]+", done.stdout))


async def test_three_workers_share_the_work_and_stop_cleanly(postgres_url, tmp_path):
    environment = {**os.environ, "TETHERPY_DATABASE": postgres_url}
    workers = [
        await asyncio.create_subprocess_exec(
            *tetherpy(SERVICES["worker"]["command"]),
            cwd=FOLDER,
            env={**environment, "XDG_STATE_HOME": str(tmp_path / f"machine-{number}")},
        )
        for number in range(SERVICES["worker"]["deploy"]["replicas"])
    ]
    try:
        async with open_database(postgres_url) as db:
            manager = BackgroundJobManager(db)
            async with asyncio.timeout(BOUND):
                while len(await manager.engine.workers()) < len(workers):
                    await asyncio.sleep(0.05)
            ids = await manager.enqueue_many(
                [NewJob(job_key="send_letter", payload={"address": str(number)}) for number in range(300)]
            )
            for job_id in ids:
                await manager.wait_for(job_id, BOUND)
            rows = await db.get_all("SELECT DISTINCT worker FROM background_service_job_attempts")
            assert len(rows) > 1
            assert len(await db.get_all("SELECT * FROM letters")) == len(ids)
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        async with asyncio.timeout(BOUND):
            assert [await worker.wait() for worker in workers] == [0] * len(workers)
    finally:
        for worker in workers:
            if worker.returncode is None:
                worker.kill()
                await worker.wait()
