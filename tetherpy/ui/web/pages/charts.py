"""The numbers behind the charts; the templates draw them as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import attrs

from tetherpy.jobs import BackgroundJob, BackgroundJobStatus, JobAttempt, JobTimeline, percentile

from .page_providers import BARS

BINS = 24


@attrs.frozen
class Bar:
    """One interval of the throughput chart; heights are fractions of the highest bar."""

    x: float
    completed: float
    failed: float
    label: str


@attrs.frozen
class Throughput:
    """The number of jobs that finished in each interval."""

    bars: tuple[Bar, ...]
    total: int
    failed: int
    per_minute: float

    @classmethod
    def of(cls, timeline: JobTimeline, span: timedelta) -> Throughput:
        """Count completed and failed jobs per interval."""
        moments = timeline.moments(BARS, start=timeline.until - span)
        completed = timeline.finished(moments, BackgroundJobStatus.COMPLETED)
        failed = timeline.finished(moments, BackgroundJobStatus.FAILED)
        highest = max(1, *(good + bad for good, bad in zip(completed, failed, strict=True)))
        bars = tuple(
            Bar(number, good / highest, bad / highest, f"{good} completed, {bad} failed")
            for number, (good, bad) in enumerate(zip(completed, failed, strict=True))
            if good or bad
        )
        total = sum(completed) + sum(failed)
        covered = min(span, timeline.until - timeline.since)
        minutes = max(covered.total_seconds() / 60, 1 / 60)
        return cls(bars, total, sum(failed), total / minutes)


@attrs.frozen
class DepthChart:
    """The number of pending and running jobs over time, as a polyline in a 100 by 40 view box."""

    line: str
    area: str
    highest: int
    now: int
    since: datetime
    is_cut: bool
    """Whether the chart begins later than requested, because only the newest jobs are read."""

    @classmethod
    def of(cls, timeline: JobTimeline, span: timedelta) -> DepthChart:
        """Compute the depth at the end of each interval."""
        begin = timeline.until - span
        moments = [timeline.since, *timeline.moments(BARS, start=timeline.since)]
        depth = timeline.depth(moments)
        highest = max(1, *depth)
        total = max(span.total_seconds(), 1.0)
        points = [
            f"{max(0.0, (moment - begin).total_seconds()) / total * 100:.2f},{40 - value / highest * 38:.2f}"
            for moment, value in zip(moments, depth, strict=True)
        ]
        first, last = points[0].partition(",")[0], points[-1].partition(",")[0]
        area = f"{first},40 {' '.join(points)} {last},40"
        is_cut = timeline.since - begin > span / BARS
        return cls(" ".join(points), area, max(depth), timeline.unfinished, timeline.since, is_cut)


@attrs.frozen
class Bin:
    """The number of durations in one bin; ``height`` is a fraction of the highest bin."""

    height: float
    label_from: timedelta
    label_to: timedelta
    count: int


@attrs.frozen
class DurationChart:
    """A histogram of durations on a logarithmic scale, with the positions of the percentiles, 0 to 100."""

    bins: tuple[Bin, ...]
    count: int
    p50: timedelta | None
    p95: timedelta | None
    p50_x: float
    p95_x: float

    @classmethod
    def of(cls, timeline: JobTimeline) -> DurationChart:
        """Sort the durations into bins."""
        durations = timeline.durations()
        p50, p95 = percentile(durations, 0.5), percentile(durations, 0.95)
        if not durations or p50 is None or p95 is None:
            return cls((), 0, None, None, 0.0, 0.0)
        scale = _Scale.over(durations)
        counts = [0] * BINS
        for duration in durations:
            counts[min(int(scale.place(duration) * BINS), BINS - 1)] += 1
        highest = max(counts)
        bins = tuple(
            Bin(count / highest, scale.at(number / BINS), scale.at((number + 1) / BINS), count)
            for number, count in enumerate(counts)
        )
        places = scale.place(p50) * 100, scale.place(p95) * 100
        return cls(bins, len(durations), p50, p95, *places)


@attrs.frozen
class _Scale:
    """A logarithmic scale from 0 to 1."""

    low: float
    high: float

    @classmethod
    def over(cls, ordered: Sequence[timedelta]) -> _Scale:
        shortest, longest = _seconds(ordered[0]), _seconds(ordered[-1])
        return cls(math.log(shortest), math.log(max(longest, shortest * 2)))

    def place(self, duration: timedelta) -> float:
        return (math.log(_seconds(duration)) - self.low) / (self.high - self.low)

    def at(self, place: float) -> timedelta:
        return timedelta(seconds=math.exp(self.low + place * (self.high - self.low)))


def _seconds(duration: timedelta) -> float:
    return max(duration.total_seconds(), 0.001)


@attrs.frozen
class AttemptBar:
    """One attempt on the timeline of a job; positions from 0 to 100."""

    attempt: JobAttempt
    x: float
    width: float
    duration: timedelta
    outcome: str


@attrs.frozen
class AttemptChart:
    """The timeline of a job's attempts, from ``begin`` to the job's end or now."""

    bars: tuple[AttemptBar, ...]
    begin: datetime
    end: datetime

    @classmethod
    def of(cls, job: BackgroundJob, attempts: Sequence[JobAttempt], now: datetime, begin: datetime) -> AttemptChart:
        """Compute the positions; attempts without readable times are left out."""
        end = max(job.finished_at or now, begin + timedelta(milliseconds=1))
        total = (end - begin).total_seconds()
        bars: list[AttemptBar] = []
        for attempt in attempts:
            if attempt.started_at is None:
                continue
            until = attempt.finished_at or end
            duration = max(until - attempt.started_at, timedelta(0))
            x = min(max((attempt.started_at - begin).total_seconds() / total, 0.0), 1.0) * 100
            width = min(max(duration.total_seconds() / total * 100, 0.6), 100 - x)
            bars.append(AttemptBar(attempt, x, max(width, 0.6), duration, attempt.outcome or "running"))
        return cls(tuple(bars), begin, end)
