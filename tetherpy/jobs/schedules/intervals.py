"""Schedules of periodic jobs: when the next tick is, and which was the last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import attrs

from tetherpy.durations import to_span
from tetherpy.errors import DurationError

from ..errors import ScheduleError
from ..storage.timestamps import in_utc
from .cron import Cron

SHORTEST_INTERVAL = timedelta(milliseconds=1)
LONGEST_PAUSE = timedelta(days=50 * 366)
"""A schedule without a tick for longer than this has none."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _interval(value: timedelta | float) -> timedelta:
    interval = to_span("every", value)
    if interval < SHORTEST_INTERVAL:
        raise DurationError("every", value, "the shortest interval is 0.001 s")
    return interval


@attrs.frozen
class Every:
    """Tick at whole multiples of ``interval`` since 1970, so that all workers agree on the ticks.

    ``interval`` is a ``timedelta`` or seconds, a millisecond at least; others are a ``DurationError``.
    """

    interval: timedelta = attrs.field(converter=_interval)

    def next_after(self, moment: datetime) -> datetime:
        """Return the first tick that is later than an aware datetime, in UTC."""
        try:
            return _EPOCH + ((in_utc(moment) - _EPOCH) // self.interval + 1) * self.interval
        except OverflowError as error:
            raise ScheduleError(
                f"every {self.interval}", f"the calendar ends before the tick after {moment}"
            ) from error


Schedule: TypeAlias = Cron | Every
"""When a periodic job ticks."""


def last_tick(schedule: Schedule, moment: datetime) -> datetime | None:
    """Return the last tick at or before an aware datetime; None if it has none in fifty years."""
    span = timedelta(minutes=1)
    while schedule.next_after(moment - span) > moment:
        if span > LONGEST_PAUSE:
            return None
        span *= 2
    # The next tick is monotonic in the instant: bisect between a tick and the instant.
    tick, end = schedule.next_after(moment - span), moment
    while (following := schedule.next_after(tick)) <= moment:
        later = schedule.next_after(tick + (end - tick) / 2)
        if later <= moment:
            tick = later
        else:
            tick, end = following, tick + (end - tick) / 2
    return tick
