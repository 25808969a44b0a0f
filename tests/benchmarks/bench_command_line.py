"""Measure ``tetherpy --help`` and ``tetherpy jobs list`` over a million jobs: time, and memory at its highest.

Usage: ``python tests/benchmarks/bench_command_line.py [JOBS]``.
"""

import asyncio
import compileall
import contextlib
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tetherpy.jobs import open_engine

PACKAGE = Path(__file__).parents[2] / "tetherpy"
RUNS = 20
COMMANDS = (
    ("--help",),
    ("jobs", "list"),
    ("jobs", "list", "--json"),
    ("jobs", "list", "--status", "FAILED"),
    ("jobs", "list", "--key", "import", "--offset", "1000"),
    ("jobs", "show", "500000"),
    ("jobs", "stats"),
)


def main() -> None:
    """Fill a database, and print a line per command."""
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    compileall.compile_dir(PACKAGE, quiet=1)  # as in an installation
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.db"
        fill(path, jobs)
        print(f"{jobs:,} jobs, {path.stat().st_size / 1e6:,.0f} MB; {RUNS} runs each, in milliseconds and megabytes")
        print(f"{'':46}{'least':>8}{'median':>8}{'CPU':>8}{'memory':>8}")
        for command in COMMANDS:
            report(path, command)


def fill(path: Path, jobs: int) -> None:
    """Store finished and waiting jobs of several keys."""

    async def make() -> None:
        async with open_engine(path) as engine:
            await engine.prepare()

    asyncio.run(make())
    with contextlib.closing(sqlite3.connect(path)) as rows, rows:
        rows.execute("PRAGMA synchronous = OFF")
        rows.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            "INSERT INTO background_service_jobs (job_key, payload, status, attempts, last_error, created_at, updated_at) "
            "SELECT CASE i % 3 WHEN 0 THEN 'import' WHEN 1 THEN 'greet' ELSE 'mail' END, "
            "'{\"row\":' || i || ',\"text\":\"' || hex(randomblob(40)) || '\"}', "
            "CASE i % 10 WHEN 0 THEN 'FAILED' WHEN 1 THEN 'PENDING' ELSE 'COMPLETED' END, 1, "
            "CASE i % 10 WHEN 0 THEN 'ValueError: no' END, t, t "
            "FROM (SELECT i, strftime('%Y-%m-%dT%H:%M:%f000Z', 1750000000 + i, 'unixepoch') AS t FROM n)",
            (jobs,),
        )


def report(path: Path, command: tuple[str, ...]) -> None:
    """Run a command, and print its time and memory."""
    walls, processors, memory = [], [], 0
    for _ in range(RUNS):
        begin = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "tetherpy.cli", *command],
            env={**os.environ, "TETHERPY_DATABASE": str(path)},
            stdout=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        walls.append((time.perf_counter() - begin) * 1000)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, command
        processors.append((usage.ru_utime + usage.ru_stime) * 1000)
        memory = max(memory, usage.ru_maxrss)
    figures = (min(walls), statistics.median(walls), statistics.median(processors), memory / 1024)
    print(f"tetherpy {' '.join(command):<37}{''.join(f'{figure:8.0f}' for figure in figures)}")


if __name__ == "__main__":
    main()
