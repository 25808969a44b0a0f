"""The recent timeline of jobs: when they were enqueued, started and finished, and statistics of it."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import attrs

from ..arguments import to_status
from ..status import BackgroundJobStatus

TIMELINE_JOBS = 5_000
"""Default number of jobs in a timeline: reading them takes about 25 ms."""


@attrs.frozen
class JobTimes:
    """Show when one job was enqueued, when its last attempt began, and when it finished."""

    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    status: BackgroundJobStatus

    @property
    def duration(self) -> timedelta | None:
        """Return how long the attempt took that ended the job; None if it has not ended, or never ran."""
        if self.started_at is None or self.finished_at is None:
            return None
        return max(self.finished_at - self.started_at, timedelta(0))


@attrs.frozen(kw_only=True)
class JobTimeline:
    """Hold all jobs that were enqueued or finished between ``since`` and ``until``, as they were at the end.

    Jobs that have been deleted are not in it. ``unfinished`` counts those that wait or run at the
    end; ``oldest_pending`` is since when the one has been due that waits longest, None if none does.
    """

    since: datetime
    until: datetime
    jobs: tuple[JobTimes, ...]
    unfinished: int
    oldest_pending: datetime | None

    def moments(self, parts: int, *, start: datetime | None = None) -> list[datetime]:
        """Return the ends of ``parts`` equal parts of the time from ``start`` (or ``since``) on."""
        begin = self.since if start is None else start
        step = (self.until - begin) / parts
        return [begin + step * number for number in range(1, parts)] + [self.until]

    def finished(self, moments: Sequence[datetime], *statuses: BackgroundJobStatus | str) -> list[int]:
        """Count the jobs that finished, in one of the statuses, up to each moment and after the one before."""
        counts = [0] * len(moments)
        wanted = {to_status(status) for status in statuses}
        ends = sorted(job.finished_at for job in self.jobs if job.finished_at is not None and job.status in wanted)
        width = moments[1] - moments[0] if len(moments) > 1 else self.until - self.since
        before = bisect_right(ends, moments[0] - width)
        for number, moment in enumerate(moments):
            upto = bisect_right(ends, moment)
            counts[number] = upto - before
            before = upto
        return counts

    def depth(self, moments: Sequence[datetime]) -> list[int]:
        """Return how many jobs waited or ran at most, up to each moment and after the one before.

        For the first it is how many did at that moment. A job that was retried after it had finished
        counts as if it had waited since it was enqueued.
        """
        created = [(job.created_at, 1) for job in self.jobs]
        ended = [(job.finished_at, -1) for job in self.jobs if job.finished_at is not None]
        steps = deque(sorted(step for step in (*created, *ended) if step[0] > moments[0]))
        depth = self.unfinished - sum(change for _, change in steps)
        highest: list[int] = []
        for moment in moments:
            highest.append(depth)
            while steps and steps[0][0] <= moment:
                depth += steps.popleft()[1]
                highest[-1] = max(highest[-1], depth)
        return highest

    def durations(self) -> list[timedelta]:
        """Return how long the last attempts of the finished jobs took, shortest first."""
        return sorted(
            duration
            for job in self.jobs
            if job.finished_at is not None and job.finished_at > self.since and (duration := job.duration) is not None
        )


def percentile(ordered: Sequence[timedelta], share: float) -> timedelta | None:
    """Return the value that ``share`` of the values, 0 to 1, do not exceed (nearest rank); None without values."""
    if not ordered:
        return None
    rank = -int(-share * len(ordered) // 1)
    return ordered[max(rank, 1) - 1]


TIMES_AT_ONCE = 500
"""How many rows an engine reads before it looks whether it needs more."""


@attrs.define
class Gathering:
    """Collect a timeline from newest to oldest; ``since`` moves up where more than ``limit`` jobs are on it."""

    since: datetime
    limit: int
    jobs: list[JobTimes] = attrs.Factory(list[JobTimes])
    _created: int = 0
    _ended: int = 0

    def take_created(self, newest_first: Iterable[JobTimes]) -> bool:
        """Take jobs in the order of their creation; tell whether there may be more to take."""
        for job in newest_first:
            if job.created_at <= self.since:
                return False
            if self._created == self.limit:
                self.since = job.created_at
                return False
            self.jobs.append(job)
            self._created += 1
        return True

    def take_finished(self, newest_first: Iterable[JobTimes]) -> bool:
        """Add jobs in the order of their ends, after all those that were created; tell whether to continue."""
        for job in newest_first:
            if job.finished_at is None or job.finished_at <= self.since:
                return False
            if self._ended == self.limit:
                self.since = job.finished_at
                return False
            if job.created_at <= self.since:
                self.jobs.append(job)
                self._ended += 1
        return True
