"""``make bench-reactive``: tetherpy, baselines and other libraries, into docs/explanation/performance.md."""

import json
import math
import os
import platform
import statistics
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from harness import PAGE, bar_chart, environment, harness, write_section

FLOORS = ["refpy", "refcontainer", "tetherpy"]
LIBRARIES = ["signified", "observ", "reaktiv"]
DI = ["di_floor", "di_refcontainer", "di_tetherpy", "di_svcs", "di_dishka", "di_wireup"]
PEERS = ["signified==0.6.1", "observ", "reaktiv", "svcs", "dishka", "wireup"]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "2"))


def installed(python: Path) -> list[str]:
    """Return the names to measure: baselines, tetherpy, and the other libraries that could be installed."""
    found = [name for name in LIBRARIES if not subprocess.run([python, "-c", f"import {name}"], check=False).returncode]
    return [*FLOORS, *found]


def reactive_section(python: Path, folder: Path, names: list[str]) -> str:
    out = folder / "results.json"
    subprocess.run(
        [
            python,
            "run_reactive.py",
            "--py",
            python,
            "--out",
            out,
            "--rounds",
            str(ROUNDS),
            "--libs",
            ",".join(names),
        ],
        cwd=folder,
        check=True,
    )
    results = json.loads(out.read_text())
    workloads = list(dict.fromkeys(entry["workload"] for entry in results.values()))
    lines = [
        "Ratio to `refpy` (lower is better); `g`: ran effects more often than ideal, `!`: wrong result.",
        "",
        "| workload | " + " | ".join(names) + " |",
        "| --- | " + " | ".join("---" for _ in names) + " |",
    ]
    ratios: dict[str, list[float]] = {name: [] for name in names}
    for workload in workloads:
        base = results[f"refpy|{workload}"]
        cells: list[str] = []
        for name in names:
            entry = results.get(f"{name}|{workload}", {})
            if not entry.get("samples"):
                cells.append(str(entry.get("status", "-")))
                continue
            ratio = statistics.median(entry["samples"]) / statistics.median(base["samples"])
            ratios[name].append(ratio)
            wrong = "" if entry.get("ok") == base.get("ok") or entry.get("ok") is True else " !"
            glitch = " g" if entry.get("ideal") and entry["runs"] > entry["ideal"] * 1.01 else ""
            cells.append(f"{ratio:.2f}{wrong}{glitch}")
        lines.append(f"| {workload} | " + " | ".join(cells) + " |")
    means = {name: math.exp(statistics.mean(map(math.log, r))) for name, r in ratios.items() if r}
    cells = [f"**{means[name]:.2f}** over {len(ratios[name])}" if name in means else "-" for name in names]
    lines.append("| geometric mean | " + " | ".join(cells) + " |")
    chart = PAGE.with_name("performance-reactive.svg")
    bar_chart(chart, "Propagation, geometric mean, ratio to refpy (lower is better)", list(means.items()))
    lines += ["", f"![Geometric means]({chart.name})"]
    return "\n".join(lines)


def child(python: Path, folder: Path, *argv: str) -> list[dict[str, object]]:
    done = subprocess.run([python, *argv], cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def depth_and_memory(python: Path, folder: Path, names: list[str]) -> str:
    lines = ["", "| | deepest warm chain | bytes per computed (closure included) |", "| --- | --- | --- |"]
    for name in names:
        depth = child(python, folder, "child_depth.py", f"r_{name}")
        memory = child(python, folder, "child_memory.py", f"r_{name}", "computed", "20000", "tm")
        deepest = f"{depth[0]['warm'][0]:,}" if depth else "-"  # type: ignore[index]
        used = f"{memory[0]['bytes']:,.0f}" if memory else "-"
        lines.append(f"| {name} | {deepest} | {used} |")
    return "\n".join(lines)


def di_section(python: Path, folder: Path) -> str:
    lines = ["| | cached read, ns | open scope, resolve ten, dispose, us |", "| --- | --- | --- |"]
    for adapter in DI:
        for record in child(python, folder, "child_di.py", adapter, "9"):
            if record.get("status") == "ok":
                single = record.get("s")
                read = f"{statistics.median(single) * 1e9:.0f}" if single else "-"  # type: ignore[arg-type]
                request = statistics.median(record["r"]) * 1e6  # type: ignore[arg-type]
                lines.append(f"| {record['name']} ({record['kind']}) | {read} | {request:.1f} |")
    return "\n".join(lines)


def main() -> None:
    folder = harness("reactive")
    python = environment(PEERS)
    when = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores, {ROUNDS} rounds"
    names = installed(python)
    tables = f"{reactive_section(python, folder, names)}\n{depth_and_memory(python, folder, names)}"
    write_section("reactive", f"{when}.\n\n{tables}")
    write_section("dependency injection", f"{when}.\n\n{di_section(python, folder)}")


if __name__ == "__main__":
    main()
