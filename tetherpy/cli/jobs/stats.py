"""``tetherpy jobs stats``."""

from __future__ import annotations

from datetime import datetime
from statistics import quantiles

import attrs

from tetherpy.jobs import BackgroundJobStatus, JobCounts, JobQuery, JobStore

from ..output.columns import Column, Document, View
from ..output.formats import form_of, print_one
from ..parameters.database_location import existing_jobs
from ..parameters.durations import ago, instant
from ..parameters.options import DatabaseOption, JsonOption

SAMPLE = 1000
"""The number of newest COMPLETED jobs in the statistics of durations."""


@attrs.frozen
class Stats:
    """The counts, the creation time of the oldest pending job, and durations of last attempts in seconds."""

    counts: JobCounts
    oldest_pending: datetime | None
    median: float | None
    p95: float | None


async def collect(store: JobStore) -> Stats:
    """Collect the statistics with a few queries, each of at most ``SAMPLE`` rows."""
    pending = await store.find(JobQuery(status=BackgroundJobStatus.PENDING, limit=1, order_by_creation="ASC"))
    completed = await store.find(JobQuery(status=BackgroundJobStatus.COMPLETED, limit=SAMPLE))
    seconds = sorted(
        (job.finished_at - job.last_attempt_at).total_seconds()
        for job in completed
        if job.finished_at is not None and job.last_attempt_at is not None
    )
    parts = quantiles(seconds, n=20, method="inclusive") if len(seconds) > 1 else seconds * 19
    return Stats(
        counts=await store.counts(),
        oldest_pending=pending[0].created_at if pending else None,
        median=parts[9] if parts else None,
        p95=parts[18] if parts else None,
    )


def _document(stats: Stats) -> Document:
    counts = {status.value.lower(): count for status, count in stats.counts.by_status.items()}
    return {
        **counts,
        "unknown": stats.counts.unknown,
        "total": stats.counts.total,
        "oldest_pending_at": instant(stats.oldest_pending),
        "median_seconds": stats.median,
        "p95_seconds": stats.p95,
    }


def _count_column(name: str) -> Column[Stats]:
    return Column(
        name, lambda stats: str(getattr(stats.counts, name)), lambda stats: f"{getattr(stats.counts, name):,}"
    )


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


STATS = View[Stats](
    (
        *(
            _count_column(name)
            for name in ("pending", "running", "completed", "failed", "cancelled", "unknown", "total")
        ),
        Column(
            "oldest_pending_at",
            lambda stats: instant(stats.oldest_pending) or "",
            lambda stats: ago(stats.oldest_pending),
        ),
        Column("median_seconds", lambda stats: _seconds(stats.median)),
        Column("p95_seconds", lambda stats: _seconds(stats.p95)),
    ),
    _document,
)
"""The statistics of all jobs."""


async def show_stats(database: DatabaseOption = None, json: JsonOption = False) -> None:
    """Count jobs by status, and show waiting times and durations."""
    async with existing_jobs(database) as engine:
        stats = await collect(engine)
    print_one(form_of(json), STATS, stats)
