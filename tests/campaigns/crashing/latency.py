"""The time from a kill until the interrupted jobs run again."""

import time
from bisect import bisect_right
from collections import defaultdict
from datetime import datetime

import attrs


@attrs.frozen
class Latencies:
    """Sorted milliseconds, by the kind of the kill.

    ``calm`` are those of one worker that was killed from outside while another one was alive and no
    other fault happened: the guarantee applies to these. ``taken_back`` is the part until the other worker
    has claimed the jobs; the rest is the wait for a free slot. ``by_kind`` also includes waits
    for an app to start workers again, and jobs that another kill hit before they had begun.
    """

    calm: list
    taken_back: list
    by_kind: dict


def measure(traces, books):
    kills_of = defaultdict(list)
    kills = traces.read("kills")
    for kill in kills:
        kills_of[kill["victim"]].append(kill)
    pids = {start["worker"]: start["pid"] for starts in books.starts.values() for start in starts}
    disturbances = sorted([(kill["t"], kill["t"]) for kill in kills] + _stops(traces))
    calm, taken_back, by_kind = [], [], defaultdict(list)
    for job_id, rows in books.attempts.items():
        starts = {(start["attempt"], start["worker"]): start["t"] for start in books.starts[job_id]}
        times = sorted(starts.values())
        for row in rows:
            began = starts.get((row["attempt"], row["worker"]))
            if row["outcome"] != "worker died" or began is None:
                continue
            kill = next((kill for kill in kills_of[pids[row["worker"]]] if kill["t"] >= began - 0.001), None)
            position = bisect_right(times, began)
            if kill is None or position == len(times):
                continue
            again = times[position]
            milliseconds = (again - kill["t"]) * 1000
            by_kind[kill["kind"]].append(milliseconds)
            if kill.get("others") and _is_calm(disturbances, kill["t"], again):
                calm.append(milliseconds)
                taken_back.append((_monotonic(row["finished_at"]) - kill["t"]) * 1000)
    return Latencies(sorted(calm), sorted(taken_back), {kind: sorted(values) for kind, values in by_kind.items()})


def _monotonic(text):
    return datetime.fromisoformat(text).timestamp() - time.time() + time.monotonic()


def _stops(traces):
    return [(stop["t"], stop["until"]) for stop in traces.read("stops")]


def _is_calm(disturbances, killed, again):
    return not any(begin < again and end > killed for begin, end in disturbances if begin != killed)


def percentile(values, share):
    return values[min(int(len(values) * share), len(values) - 1)]
