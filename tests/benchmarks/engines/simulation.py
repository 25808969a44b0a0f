"""The measured rates applied to ten million jobs a day: calculated, and simulated second by second."""

import math
import random

import attrs

JOBS_A_DAY = 10_000_000
DAY = 86_400
PEAK = 3.0
"""The ratio of the peak rate to the mean; the minimum is lower by the same amount."""


@attrs.frozen
class Day:
    """The result of a simulated day."""

    busy: float
    longest_backlog: int
    p99_wait: float
    left: int


def arrivals(second, rng, mean):
    """Draw the arrivals of each second: Poisson, with a mean that peaks at noon."""
    expected = mean * (1 + (PEAK - 1) * math.sin(math.pi * second / DAY) ** 6) / _NORM
    return max(round(rng.gauss(expected, math.sqrt(expected))), 0)


_NORM = sum(1 + (PEAK - 1) * math.sin(math.pi * s / DAY) ** 6 for s in range(0, DAY, 60)) / (DAY / 60)


def simulate(rate, jobs=JOBS_A_DAY, seed=1):
    """Simulate a day second by second with workers that complete at most ``rate`` jobs a second."""
    rng = random.Random(seed)
    backlog = busy = 0.0
    longest, waits = 0.0, []
    for second in range(DAY):
        backlog += arrivals(second, rng, jobs / DAY)
        served = min(backlog, rate)
        busy += served / rate
        backlog -= served
        longest = max(longest, backlog)
        waits.append(backlog / rate)
    waits.sort()
    return Day(busy / DAY, round(longest), waits[int(0.99 * DAY)], round(backlog))


def most_jobs(rate):
    """Return the millions of jobs a day that leave no backlog at midnight and 99 of 100 waits below a second."""
    low, high = 0, round(rate * DAY / 1e6) + 1
    while low < high:
        middle = (low + high + 1) // 2
        day = simulate(rate, middle * 1_000_000)
        if day.left == 0 and day.p99_wait < 1:
            low = middle
        else:
            high = middle - 1
    return low


def sizing(drained):
    """Format calculation and simulation as Markdown, from the rates with each number of workers."""
    mean = JOBS_A_DAY / DAY
    heads = (
        "workers", "measured jobs/s", "processor time per job, workers + server", "cores busy at the mean",
        "busy share of the day", "longest backlog", "p99 wait for a worker", "left at midnight",
        "most jobs a day with a p99 wait below a second",
    )  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", "| --- " * len(heads) + "|"]
    for number, found in drained.items():
        day = simulate(found.rate)
        cores = mean * (found.workers + found.server) / 1000
        lines.append(
            f"| {number} | {found.rate:,.0f} | {found.workers:.2f} + {found.server:.2f} ms | {cores:.2f} | "
            f"{day.busy:.0%} | {day.longest_backlog:,} jobs | {day.p99_wait:.2f} s | {day.left:,} | "
            f"{most_jobs(found.rate)} million |"
        )
    best = max(drained, key=lambda number: drained[number].rate)
    bend = next(
        (
            number
            for before, number in zip(list(drained), list(drained)[1:], strict=False)
            if drained[number].rate < 1.3 * drained[before].rate
        ),
        None,
    )
    paper = (
        f"On paper: {JOBS_A_DAY:,} jobs a day are {mean:.0f} a second on average, and {mean * PEAK / _NORM:.0f} at the "
        f"peak of a day whose busiest second has {PEAK:g} times the quietest. The simulation draws arrivals second by "
        "second and lets the workers do what was measured; handlers that do nothing, so add the time that yours take."
    )
    told = "it did not bend up to eight workers" if bend is None else f"it bends at {bend} workers"
    return (
        f"{paper}\n\n" + "\n".join(lines) + f"\n\nMost jobs a second were done with {best} workers; {told}: from there "
        "a worker more brings less than a third of what it should."
    )
