"""Throughput with a backlog, and the cost of a job: processor time of the workers and of the server."""

import time

import attrs
import psutil

from .systems import connect

BOUND_SECONDS = 90
EDGE = 0.1
"""The share of jobs completed before the measurement, while workers start."""


@attrs.frozen
class Drained:
    """Jobs per second, and milliseconds of processor time per job."""

    rate: float
    workers: float
    server: float


def drain(system, number, server_processes):
    """Fill the queue, start workers, and measure from a tenth of the jobs to the last."""
    system.fill()
    with connect(system.address) as connection, system.workers(number) as processes:
        deadline = time.monotonic() + BOUND_SECONDS
        begin = None
        while (done := system.done(connection)) < system.jobs:
            now = time.monotonic()
            if now > deadline:
                raise TimeoutError(f"{system.name} with {number} workers: {done} of {system.jobs} jobs done")
            if begin is None and done >= EDGE * system.jobs:
                begin = (now, done, _spent(processes), _spent(server_processes()))
            time.sleep(0.01)
        end = time.monotonic()
        if begin is None:
            raise RuntimeError(f"{system.name} was done before it was looked at; give it more jobs")
        started, before, worker_seconds, server_seconds = begin
        jobs = system.jobs - before
        return Drained(
            jobs / (end - started),
            1000 * (_spent(processes) - worker_seconds) / jobs,
            1000 * max(_spent(server_processes()) - server_seconds, 0.0) / jobs,
        )


def _spent(processes):
    seconds = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        seconds += times.user + times.system
    return seconds
