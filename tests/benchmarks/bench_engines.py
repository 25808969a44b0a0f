"""``make bench-engines``: both engines, Procrastinate and Oban, into docs/explanation/performance-engines.md."""

import asyncio
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests import postgres_server
from tests.benchmarks.engines import latency, profile, simulation, systems
from tests.benchmarks.engines.draining import drain

PAGE = ROOT / "docs" / "explanation" / "performance-engines.md"
WORKERS = (1, 2, 4, 8)
JOBS = int(os.environ.get("BENCH_JOBS", "4000"))
SLOW_JOBS = JOBS // 8
"""For systems that would take minutes with the full number."""
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
DURABLE = "max_connections = 200\nshared_buffers = 128MB\n"


def oban_python():
    """Return an interpreter with Oban, which needs Python 3.12; None if it cannot be installed."""
    base = os.environ.get("TETHERPY_PYTHON312", "python3.12")
    python = ROOT / ".bench" / "oban" / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([base, "-m", "venv", python.parents[1]], check=True, capture_output=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", "oban"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"without Oban: {error}")
        return None
    return str(python)


def measure(server, folder):
    """Return the results of each round, by system and number of workers, slowest first.

    Systems take turns in each round, so that other load of the machine affects all of them.
    """
    python = oban_python()

    def on(make):
        def measured(number):
            with server.database() as url:
                return drain(make(url), number, server_processes)

        return measured

    def server_processes():
        postmaster = psutil.Process(server.managed.get_pid())
        return [postmaster, *postmaster.children()]

    def file(number):
        path = Path(tempfile.mkdtemp(dir=folder)) / "jobs.db"
        return drain(systems.Tetherpy("tetherpy on SQLite", path, JOBS), number, list)

    makers = {
        "tetherpy on SQLite": file,
        "tetherpy on PostgreSQL": on(lambda url: systems.Tetherpy("tetherpy on PostgreSQL", url, JOBS)),
        "tetherpy on PostgreSQL, commit not synced": on(
            lambda url: systems.Tetherpy("", f"{url}&options=-csynchronous_commit%3Doff", JOBS)
        ),
        "Procrastinate": on(lambda url: systems.procrastinate(url, SLOW_JOBS, analyze=False)),
        "Procrastinate, after ANALYZE": on(lambda url: systems.procrastinate(url, SLOW_JOBS, analyze=True)),
    }
    if python is not None:
        makers["Oban for Python"] = on(lambda url: systems.oban(python, url, JOBS))
    found = {name: {number: [] for number in WORKERS} for name in makers}
    for _ in range(ROUNDS):
        for number in WORKERS:
            for name, measured in makers.items():
                found[name][number].append(measured(number))
                print(name, number, found[name][number][-1], flush=True)
    return {
        name: {number: sorted(rounds, key=lambda one: one.rate) for number, rounds in by_number.items()}
        for name, by_number in found.items()
    }


def rate_of(rounds):
    """Format the rate of the middle round, and those of the slowest and the fastest."""
    return f"{middle(rounds).rate:,.0f} ({rounds[0].rate:,.0f} to {rounds[-1].rate:,.0f})"


def cost_of(rounds):
    """Format the cost of a job in the middle round."""
    return f"{middle(rounds).workers:.2f} + {middle(rounds).server:.2f}"


def middle(rounds):
    """Return the round whose rate is the median."""
    return rounds[len(rounds) // 2]


async def latencies(server, folder):
    """Return the table of latencies."""
    lines = []
    for name, address in (("tetherpy on SQLite", folder / "latency.db"), ("tetherpy on PostgreSQL", None)):
        if address is None:
            with server.database() as url:
                pushed, through = await latency.push(url), await latency.round_trip(url)
        else:
            pushed, through = await latency.push(address), await latency.round_trip(address)
        lines.append((name, f"{pushed.p50:.1f} / {pushed.p99:.1f}", f"{through.p50:.1f} / {through.p99:.1f}"))
    with server.database() as url:
        through = await latency.procrastinate_round_trip(url)
    lines.append(("Procrastinate", "tells nobody", f"{through.p50:.1f} / {through.p99:.1f} (asked every ms)"))
    return lines


def table(heads, lines):
    """Format a Markdown table."""
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in (heads, ["---"] * len(heads), *lines))


def main():
    postgres_server.SETTINGS = DURABLE
    server = postgres_server.start_own()
    with tempfile.TemporaryDirectory(prefix="tetherpy-bench-") as temporary:
        folder = Path(temporary)
        os.environ["XDG_STATE_HOME"] = str(folder / "state")
        os.environ["PYTHONPATH"] = systems.PATHS["PYTHONPATH"]
        sys.path.insert(0, str(systems.HERE))  # workers import their module from here, too
        try:
            load = os.getloadavg()[0]
            drained = measure(server, folder)
            told = asyncio.run(latencies(server, folder))
            parts = asyncio.run(profile.procrastinate_parts(server))
        finally:
            server.close()
    rates = [(name, *map(rate_of, by_number.values())) for name, by_number in drained.items()]
    costs = [(name, *map(cost_of, by_number.values())) for name, by_number in drained.items()]
    heads = ("", *(f"{n} worker{'s' * (n > 1)}" for n in WORKERS))
    PAGE.write_text(
        PAGE_TEXT.format(
            when=f"{datetime.now(UTC):%Y-%m-%d}",
            python=platform.python_version(),
            cores=os.cpu_count(),
            load=f"{load:.1f}",
            rounds=ROUNDS,
            jobs=f"{JOBS:,}",
            slow=f"{SLOW_JOBS:,}",
            rates=table(heads, rates),
            costs=table(heads, costs),
            latencies=table(
                ("", "commit -> subscriber, p50 / p99 ms", "enqueue -> completion seen, p50 / p99 ms"), told
            ),
            parts=table(
                (
                    "jobs waiting",
                    "fetch_job",
                    "finish_job",
                    "fetch, commit not synced",
                    "and after ANALYZE",
                    "and without its triggers",
                ),
                parts,
            ),
            sizing=simulation.sizing({n: middle(rounds) for n, rounds in drained["tetherpy on PostgreSQL"].items()}),
        )
    )
    print(f"wrote {PAGE.relative_to(ROOT)}")


PAGE_TEXT = (Path(__file__).parent / "engines" / "page.md.txt").read_text()

if __name__ == "__main__":
    main()
