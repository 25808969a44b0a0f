"""``python -m tests.benchmarks.bench_notify``: the cost of notifications for commits on a busy server.

PostgreSQL lets one transaction that notifies commit at a time. Eight processes enqueue at full speed with synchronous
commits: in turns with notifications, and without, as the baseline.
"""

import asyncio
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import psycopg

from tests import postgres_server
from tetherpy.jobs import open_engine

WRITERS = int(os.environ.get("BENCH_WRITERS", "8"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
DURABLE = "max_connections = 200\nshared_buffers = 128MB\n"
SILENT = "CREATE OR REPLACE FUNCTION tetherpy_notify() RETURNS void LANGUAGE sql AS $$ SELECT $$"
WRITER = """
import asyncio, sys, time
from tetherpy.database import PostgresDatabase
from tetherpy.jobs import NewJob, open_engine
async def main(url, seconds, silent):
    if silent == "silent":
        PostgresDatabase.announce = lambda *_: None
    async with open_engine(url) as engine:
        await engine.enqueue([NewJob(job_key="k")])
        print("ready", flush=True)
        sys.stdin.readline()
        end, jobs = time.monotonic() + float(seconds), 0
        while time.monotonic() < end:
            await engine.enqueue([NewJob(job_key="k")])
            jobs += 1
        print(jobs, flush=True)
asyncio.run(main(*sys.argv[1:]))
"""


def rate(url, *, silent):
    """Return the commits per second of all writers together."""
    command = [sys.executable, "-c", WRITER, url, str(SECONDS), "silent" if silent else "telling"]
    writers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for _ in range(WRITERS)
    ]
    for writer in writers:
        writer.stdout.readline()
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    jobs = sum(int(writer.communicate()[0]) for writer in writers)
    return jobs / SECONDS


def make_tables(url, *, silent):
    async def prepare():
        async with open_engine(url) as engine:
            await engine.prepare()

    asyncio.run(prepare())
    if silent:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(SILENT)


def main():
    postgres_server.SETTINGS = DURABLE
    server = postgres_server.start_own()
    try:
        rates = {True: [], False: []}
        for _ in range(ROUNDS):
            for silent, found in rates.items():
                with server.database() as url:
                    make_tables(url, silent=silent)
                    found.append(rate(url, silent=silent))
        floor, telling = (statistics.median(found) for found in rates.values())
        print(f"{WRITERS} writers, commits per second: {telling:.0f} with notifications, {floor:.0f} without")
        print(f"{telling / floor:.2f} of the floor")
    finally:
        server.close()


if __name__ == "__main__":
    main()
