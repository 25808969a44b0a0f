"""The compared systems: how each stores a backlog, starts workers, and counts completed jobs."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import attrs
import psutil
import psycopg

from tetherpy.jobs import NewJob, open_engine
from tetherpy.service import BackgroundService

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SLOTS = 10
PATHS = {"PYTHONPATH": os.pathsep.join((str(HERE), str(ROOT)))}


@attrs.define
class Tetherpy:
    """Either engine, with one service of several worker processes."""

    name: str
    address: str
    jobs: int

    def fill(self):
        async def enqueue():
            async with open_engine(self.address) as engine:
                await engine.enqueue(NewJob(job_key="noop", payload={"n": n}) for n in range(self.jobs))

        asyncio.run(enqueue())

    @contextmanager
    def workers(self, number):
        async def start():
            service = BackgroundService(
                self.address, "noop_worker:initialize", processes=number, concurrency=SLOTS, start_timeout=60
            )
            await service.start()
            await service.aclose()

        async def stop():
            service = BackgroundService(self.address, "noop_worker:initialize")
            await service.stop(5)
            await service.aclose()

        before = {process.pid for process in psutil.process_iter()}
        asyncio.run(start())
        try:
            yield [p for p in psutil.process_iter() if p.pid not in before and "tetherpy.service" in _command(p)]
        finally:
            asyncio.run(stop())

    def done(self, connection):
        if isinstance(connection, sqlite3.Connection):
            row = connection.execute("SELECT jobs FROM background_service_job_counts WHERE status = 'COMPLETED'")
        else:
            row = connection.execute("SELECT sum(jobs)::int FROM tetherpy_job_changes WHERE status = 'COMPLETED'")
        found = row.fetchone()
        return (found and found[0]) or 0


@attrs.define
class Subprocesses:
    """A system whose workers are commands; ``count`` is the query for completed jobs."""

    name: str
    address: str
    jobs: int
    filling: list
    command: list
    count: str

    @property
    def environment(self):
        return {**os.environ, **PATHS, "BENCH_URL": self.address}

    def fill(self):
        subprocess.run(self.filling, env=self.environment, check=True, capture_output=True)

    @contextmanager
    def workers(self, number):
        started = [
            subprocess.Popen(self.command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(number)
        ]
        try:
            yield [psutil.Process(process.pid) for process in started]
        finally:
            for process in started:
                process.send_signal(signal.SIGKILL)
                process.wait()

    def done(self, connection):
        return connection.execute(self.count).fetchone()[0]


FILL_PROCRASTINATE = """
import asyncio, os
from procrastinate_app import app, noop
async def fill():
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        for start in range(0, {jobs}, 1000):
            await noop.batch_defer_async(*[dict(n=n) for n in range(start, min(start + 1000, {jobs}))])
        if {analyze}:
            await app.connector.execute_query_async("ANALYZE")
asyncio.run(fill())
"""


def procrastinate(address, jobs, *, analyze):
    return Subprocesses(
        "Procrastinate, after ANALYZE" if analyze else "Procrastinate",
        address,
        jobs,
        [sys.executable, "-W", "ignore", "-c", FILL_PROCRASTINATE.format(jobs=jobs, analyze=analyze)],
        [sys.executable, "-W", "ignore", "-c", "import procrastinate_app; procrastinate_app.main()"],
        "SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'",
    )


def oban(python, address, jobs):
    return Subprocesses(
        "Oban for Python",
        address,
        jobs,
        [python, "-c", f"import oban_jobs; oban_jobs.fill({address!r}, {jobs})"],
        [python, "-c", "import oban_jobs, sys, oban.cli; sys.argv[0] = 'oban'; oban.cli.main()", "start", "--dsn", address,
         "--queues", f"default:{SLOTS}", "--log-level", "ERROR"],
        "SELECT count(*) FROM oban_jobs WHERE state = 'completed'",
    )  # fmt: skip


def _command(process):
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def connect(address):
    """Open a connection for counting, separate from those that are measured."""
    if "://" in str(address):
        return psycopg.connect(address, autocommit=True)
    return closing(sqlite3.connect(address))
