"""When jobs were enqueued and finished lately, newest first until the past is reached or enough was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from tetherpy.database import PostgresDatabase

from ..status import BackgroundJobStatus
from ..storage.timeline import TIMES_AT_ONCE, Gathering, JobTimeline, JobTimes
from ..storage.values import instant_or_none
from .calls.requests import ask
from .statements import sql

_NEWEST = 2**63 - 1


async def timeline(db: PostgresDatabase, since: datetime, until: datetime, limit: int) -> JobTimeline:
    """Return the timeline."""
    gathering = Gathering(since, limit)
    before = _NEWEST
    while rows := await ask(db, sql("newest_times"), {"before": before, "limit": TIMES_AT_ONCE}):
        if not gathering.take_created(_times(rows)):
            break
        before = rows[-1][0]
    # One more than is wanted of those created before, and all that were created since may come between them.
    values = {"since": gathering.since, "end": until, "limit": 2 * limit + 1}
    gathering.take_finished(_times(await ask(db, sql("finished_times"), values)))
    waiting = {BackgroundJobStatus.PENDING, BackgroundJobStatus.RUNNING}
    counts = {status: jobs for status, jobs, _ in await ask(db, sql("counts"), {})}
    ((oldest,),) = await ask(db, sql("oldest_due"), {"now": until})
    return JobTimeline(
        since=gathering.since,
        until=until,
        jobs=tuple(gathering.jobs),
        unfinished=sum(counts.get(status.value, 0) for status in waiting),
        oldest_pending=instant_or_none(oldest),
    )


def _times(rows: Iterable[tuple[Any, ...]]) -> Iterator[JobTimes]:
    for _, created, started, finished, status in rows:
        created_at, finished_at = instant_or_none(created), instant_or_none(finished)
        if created_at is not None and (finished is None or finished_at is not None):
            yield JobTimes(created_at, instant_or_none(started), finished_at, BackgroundJobStatus(status))
