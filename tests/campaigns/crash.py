"""Kill workers, supervisors and apps a thousand times, then account for every job: ``make crash``.

The seed is printed; the same seed selects the same victims and times again, within the limits of timing. Ctrl-C ends
the campaign and leaves no process running.
"""

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from random import SystemRandom

from tests import postgres_server

from .crashing.campaign import Campaign
from .crashing.latency import percentile

INTERRUPTED_STATUS = 130


def main():
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tetherpy-crash-"))
    print(f"seed {options.seed} (again with: make crash SEED={options.seed}), in {folder}", flush=True)
    server = postgres_server.start_own() if options.engine == "postgres" else None
    try:
        report = asyncio.run(run(Campaign(folder, options.seed, options.kills, server)))
    except asyncio.CancelledError:
        print(f"\ninterrupted; everything killed; files left in {folder}", flush=True)
        return INTERRUPTED_STATUS
    finally:
        if server is not None:
            server.close()
    show(report)
    if report.complaints:
        print(f"\n{len(report.complaints)} COMPLAINTS; seed {options.seed}; files left in {folder}")
        return 1
    shutil.rmtree(folder)
    print("\nNothing lost, nothing stuck, every row explained.")
    return 0


async def run(campaign):
    this = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    progress = asyncio.create_task(show_progress(campaign))
    try:
        return await campaign.run()
    finally:
        progress.cancel()


async def show_progress(campaign):
    live = sys.stdout.isatty()
    begin = time.monotonic()
    while True:
        traces = campaign.traces
        phase = "until all jobs have ended" if traces.calm else f"of {campaign.kills}"
        line = (
            f"{time.monotonic() - begin:6.0f} s  {traces.count_kills():5} kills {phase}  "
            f"{traces.count('acknowledged'):6} enqueued  {traces.count('starts'):6} attempts begun  "
            f"{traces.count('workers'):5} workers"
        )
        print(f"\r{line}" if live else line, end="" if live else "\n", flush=True)
        await asyncio.sleep(0.5 if live else 10)


def show(report):
    print()
    show_counts("kills", report.kills)
    show_counts("stopped", report.stops)
    show_counts("jobs", report.jobs)
    show_counts("attempts", report.outcomes)
    print(f"{report.acknowledged} acknowledged enqueues, {report.workers} workers begun")
    print(f"{report.late} late completions refused (in what the rotated log still holds)")
    show_counts("starts refused because the starting workers were killed", report.refused)
    print("\nkill -> re-run, in ms                      n     p50     p99     max")
    show_latency("one worker, another lives, undisturbed", report.latencies.calm)
    show_latency("  of it, until they are taken back", report.latencies.taken_back)
    for kind, values in sorted(report.latencies.by_kind.items()):
        show_latency(kind, values)
    for complaint in report.complaints:
        print(f"\n- {complaint}")


def show_counts(what, counts):
    parts = ", ".join(f"{number} {name}" for name, number in counts.most_common())
    print(f"{counts.total()} {what}: {parts}")


def show_latency(kind, values):
    if values:
        p50, p99 = percentile(values, 0.5), percentile(values, 0.99)
        print(f"{kind:40} {len(values):4} {p50:7.0f} {p99:7.0f} {values[-1]:7.0f}")


if __name__ == "__main__":
    sys.exit(main())
