"""Examinations of jobs and workers, whichever engine keeps them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta

from tetherpy.jobs import BackgroundJob, BackgroundJobStatus, JobEngine, JobQuery, WorkerRecord, did_you_mean

from ..parameters.durations import ago, span
from .finding import Finding

SILENT = timedelta(seconds=60)
"""Two leases: a worker that has not stored its heartbeat for so long has lost its jobs."""
LATE = timedelta(seconds=10)
"""A job that is due and has waited for so long waits for something else than its turn, if workers have room."""
WINDOW = 1000


async def examine_jobs(engine: JobEngine, now: datetime, *, serving: bool) -> AsyncIterator[Finding]:
    """Look for workers that are silent, jobs that are stuck and rows that say nothing.

    ``serving`` says whether this machine's service runs.
    """
    workers = await engine.workers()
    yield _workers(workers, now)
    running = await engine.find(JobQuery(status=BackgroundJobStatus.RUNNING, limit=WINDOW))
    yield _stuck(running, now)
    pending = await engine.find(JobQuery(status=BackgroundJobStatus.PENDING, limit=WINDOW))
    yield _waiting(pending, workers, now, serving=serving)
    yield _unhandled(await engine.unhandled(), workers)
    unknown = (await engine.counts()).unknown
    if unknown:
        yield Finding.wrong(
            "rows",
            f"{unknown} jobs have a status that does not exist",
            "Something else than tetherpy wrote them: correct or delete those rows.",
        )
    else:
        yield Finding.ok("rows", "every job has a status that exists")


def _workers(workers: list[WorkerRecord], now: datetime) -> Finding:
    silent = [worker for worker in workers if now - worker.heartbeat_at > SILENT]
    if not silent:
        return Finding.ok("workers", f"{len(workers)} registered")
    told = ", ".join(f"{w.id} {ago(w.heartbeat_at, now)} (pid {w.pid} on {w.host})" for w in silent)
    remedy = "Start workers, which take over: tetherpy service start. Kill those that hang."
    return Finding.wrong("workers", f"last heard of {told}", remedy)


def _stuck(running: list[BackgroundJob], now: datetime) -> Finding:
    stuck = [job for job in running if job.lease_expires_at is not None and job.lease_expires_at < now]
    if not stuck:
        return Finding.ok("stuck jobs", f"none of {len(running)} that run")
    told = ", ".join(str(job.id) for job in stuck[:10])
    return Finding.wrong(
        "stuck jobs",
        f"{len(stuck)} RUNNING that no worker keeps: {told}{', ...' if len(stuck) > 10 else ''}",
        "Start workers, which take them back: tetherpy service start.",
    )


def _unhandled(waiting: Mapping[str, int], workers: list[WorkerRecord]) -> Finding:
    if not waiting:
        return Finding.ok("handlers", "no job waits for one")
    known = sorted({key for worker in workers for key in worker.job_keys or ()})
    jobs = ", ".join(f"{count} of {key!r}{did_you_mean(key, known)}" for key, count in sorted(waiting.items()))
    return Finding.wrong(
        "handlers",
        f"jobs wait for a worker that has a handler for their key: {jobs}",
        f"Start workers whose callback registers it; registered keys: {', '.join(known) or 'none'}.",
    )


def _waiting(pending: list[BackgroundJob], workers: list[WorkerRecord], now: datetime, *, serving: bool) -> Finding:
    late = [job for job in pending if now - job.run_at > LATE]
    if not late:
        return Finding.ok("waiting jobs", "none is late")
    longest = span(max(now - job.run_at for job in late).total_seconds())
    told = f"{len(late)}{' or more' if len(pending) == WINDOW else ''} due, the oldest for {longest}"
    if not (serving or workers):
        return Finding.wrong("waiting jobs", f"{told}, and no worker runs", "Start some: tetherpy service start.")
    queues = ", ".join(sorted({job.queue for job in late}))
    return Finding.advice(
        "waiting jobs",
        f"{told}, in: {queues}",
        "If workers are not simply busy, see that one serves these queues, or give them more --concurrency.",
    )
