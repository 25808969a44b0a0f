"""When jobs were enqueued and finished lately, newest first until the past is reached or enough was read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime

from ..status import FINISHED, BackgroundJobStatus
from ..storage.row_decoding import Row
from ..storage.timeline import TIMES_AT_ONCE, Gathering, JobTimeline, JobTimes
from ..storage.values import instant_or_none
from .finding import counts
from .statements import fetch, sql

_STATUSES = {status.value: status for status in BackgroundJobStatus}
_NEWEST = 2**63 - 1
_LATEST = "~"  # sorts after every instant


def timeline(connection: sqlite3.Connection, since: datetime, until: datetime, limit: int) -> JobTimeline:
    """Return the timeline; rows without readable times are left out."""
    gathering = Gathering(since, limit)
    before = _NEWEST
    while rows := fetch(connection, sql("newest_times"), (before, TIMES_AT_ONCE)):
        if not gathering.take_created(_times(rows)):
            break
        before = rows[-1][0]
    end, before = _LATEST, _NEWEST
    while rows := fetch(connection, sql("finished_times"), (end, before, TIMES_AT_ONCE)):
        if not gathering.take_finished(_times(rows)):
            break
        before, end = rows[-1][0], rows[-1][3]
    by_status = counts(connection).by_status
    ((oldest,),) = fetch(connection, sql("oldest_due"), ())
    return JobTimeline(
        since=gathering.since,
        until=until,
        jobs=tuple(gathering.jobs),
        unfinished=sum(count for status, count in by_status.items() if status not in FINISHED),
        oldest_pending=instant_or_none(oldest),
    )


def _times(rows: Iterable[Row]) -> Iterator[JobTimes]:
    for _, created, started, finished, status in rows:
        created_at, finished_at = instant_or_none(created), instant_or_none(finished)
        if created_at is None or status not in _STATUSES or (finished is not None and finished_at is None):
            continue
        yield JobTimes(created_at, instant_or_none(started), finished_at, _STATUSES[status])
