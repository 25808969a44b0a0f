"""Examinations of jobs and workers, on every engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta

from tetherpy.durations import duration_text
from tetherpy.jobs import BackgroundJob, BackgroundJobStatus, JobEngine, JobQuery, WorkerRecord, did_you_mean

from ..parameters.durations import ago
from .finding import Finding

SILENT = timedelta(seconds=60)
"""Two leases: a worker without a heartbeat for so long has lost its jobs."""
LATE = timedelta(seconds=10)
"""Idle workers would have started a due job within this time."""
WINDOW = 1000


async def examine_jobs(engine: JobEngine, now: datetime, *, serving: bool) -> AsyncIterator[Finding]:
    """Look for workers without heartbeats, stuck jobs, jobs without handlers, and invalid rows.

    ``serving`` says whether the service runs on this machine.
    """
    workers = await engine.workers()
    yield _workers(workers, now)
    running = await engine.find(JobQuery(status=BackgroundJobStatus.RUNNING, limit=WINDOW, order_by_creation="ASC"))
    yield _stuck(running, now)
    pending = await engine.find(JobQuery(status=BackgroundJobStatus.PENDING, limit=WINDOW, order_by_creation="ASC"))
    yield _waiting(pending, workers, now, serving=serving)
    yield _unhandled(await engine.unhandled(), workers)
    unknown = (await engine.counts()).unknown
    if unknown:
        yield Finding.wrong(
            "rows",
            f"{unknown} jobs have an unknown status",
            "They were not written by tetherpy: correct or delete these rows.",
        )
    else:
        yield Finding.ok("rows", "all jobs have a valid status")


def _workers(workers: list[WorkerRecord], now: datetime) -> Finding:
    silent = [worker for worker in workers if now - worker.heartbeat_at > SILENT]
    if not silent:
        return Finding.ok("workers", f"{len(workers)} registered")
    listed = ", ".join(f"{w.id} {ago(w.heartbeat_at, now)} (pid {w.pid} on {w.host})" for w in silent)
    remedy = "Start workers, which rescue the jobs: tetherpy service start. Kill workers that hang."
    return Finding.wrong("workers", f"no heartbeat: {listed}", remedy)


def _stuck(running: list[BackgroundJob], now: datetime) -> Finding:
    stuck = [job for job in running if job.lease_expires_at is not None and job.lease_expires_at < now]
    if not stuck:
        return Finding.ok("stuck jobs", f"0 stuck, {len(running)} running")
    listed = ", ".join(str(job.id) for job in stuck[:10])
    return Finding.wrong(
        "stuck jobs",
        f"{len(stuck)} RUNNING with an expired lease: {listed}{', ...' if len(stuck) > 10 else ''}",
        "Start workers, which rescue them: tetherpy service start.",
    )


def _unhandled(waiting: Mapping[str, int], workers: list[WorkerRecord]) -> Finding:
    if not waiting:
        return Finding.ok("handlers", "no pending jobs without a handler")
    known = sorted({key for worker in workers for key in worker.job_keys or ()})
    jobs = ", ".join(f"{count} of {key!r}{did_you_mean(key, known)}" for key, count in sorted(waiting.items()))
    return Finding.wrong(
        "handlers",
        f"pending jobs without a handler: {jobs}",
        f"Start workers whose callback registers the handler. Registered keys: {', '.join(known) or 'none'}.",
    )


def _waiting(pending: list[BackgroundJob], workers: list[WorkerRecord], now: datetime, *, serving: bool) -> Finding:
    late = [job for job in pending if now - job.run_at > LATE]
    if not late:
        return Finding.ok("pending jobs", "none is late")
    longest = duration_text(max(now - job.run_at for job in late))
    found = f"{len(late)}{' or more' if len(pending) == WINDOW else ''} due, the oldest for {longest}"
    if not (serving or workers):
        return Finding.wrong(
            "pending jobs", f"{found}, and no workers running", "Start workers: tetherpy service start."
        )
    queues = ", ".join(sorted({job.queue for job in late}))
    return Finding.advice(
        "pending jobs",
        f"{found}, in queues: {queues}",
        "Unless the workers are only busy, start workers for these queues, or raise --concurrency.",
    )
