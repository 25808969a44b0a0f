"""``make bench-jobs``: tetherpy compared with plain SQL and other libraries, into docs/explanation/performance.md."""

import os
import platform
import subprocess
from datetime import UTC, datetime

from harness import environment, harness, write_section

LIBRARIES = "raw,raw_full,tetherpy,huey,litequeue,persistqueue"
PEERS = ["huey", "litequeue", "persist-queue"]
ROUNDS = os.environ.get("BENCH_ROUNDS", "2")


def main() -> None:
    folder = harness("jobs")
    python = environment(PEERS)
    done = subprocess.run(
        [python, "run.py", "--libs", LIBRARIES, "--rounds", ROUNDS, "--out", folder / "results.json"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    table = "\n".join(line for line in done.stdout.splitlines() if line.startswith("|"))
    when = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores, {ROUNDS} rounds"
    write_section("jobs", f"{when}. In brackets: ratio to the raw floor.\n\n{table}")


if __name__ == "__main__":
    main()
