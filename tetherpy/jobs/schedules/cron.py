"""The ticks of a cron expression on the clocks of a time zone; ``cronsim`` reads the expression."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from ..errors import CronMissingError, ScheduleError
from ..storage.timestamps import in_utc

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

FIELDS = 5

_SECOND = timedelta(seconds=1)
_STEP = timedelta(days=1)
"""No time zone has ever changed its offset twice within 95 hours, so one look a day finds every change."""


def _zone(name: str) -> ZoneInfo:
    # A worker without periodic jobs starts faster without it.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError, AttributeError) as error:
        raise ScheduleError(name, "unknown time zone") from error


@attrs.frozen
class Cron:
    """Tick by a five-field cron expression, in the local time of ``time_zone``.

    Changes of daylight saving time are handled as Debian's cron does. With fixed minutes and hours, a time of day that
    is skipped ticks once, at the change; one that is repeated ticks the first time. With ``*`` first in minutes or
    hours, it ticks whenever the local time matches.

    Raises ``ScheduleError`` for an invalid expression, another number of fields, or an expression without a date within
    fifty years, and ``CronMissingError`` without the extra ``cron``.
    """

    expression: str
    time_zone: str = "UTC"

    def __attrs_post_init__(self) -> None:
        self.next_after(datetime.now(UTC))

    def next_after(self, moment: datetime) -> datetime:
        """Return the first tick that is later than an aware datetime, in UTC."""
        start = in_utc(moment).replace(microsecond=0)
        try:
            return self._first_after(start, _zone(self.time_zone))
        except (StopIteration, OverflowError) as error:
            raise ScheduleError(self.expression, f"no date within fifty years after {moment} fits it") from error

    def _first_after(self, start: datetime, zone: ZoneInfo) -> datetime:
        """Go from one change of the clocks to the next; between them the offset is the same."""
        offset = _offset(start, zone)
        times = self._times_of_day_after(start + offset)
        while True:
            time = next(times)
            tick = time - offset
            change = _first_change(start, tick, zone)
            if change is None:
                if self._is_fixed and _offset_of_first(time, zone) != offset:
                    continue  # the second occurrence of a repeated local time
                return tick
            before, offset = offset, _offset(change, zone)
            if self._is_fixed and time < change + offset and before < offset:
                return change  # this time of day is skipped
            start = change
            times = self._times_of_day_after(change + offset - _SECOND)

    @property
    def _is_fixed(self) -> bool:
        minute, hour = self.expression.split()[:2]
        return not (minute.startswith("*") or hour.startswith("*"))

    def _times_of_day_after(self, time: datetime) -> Iterator[datetime]:
        """Return the local times of the ticks, carried in UTC, without changes of daylight saving time."""
        try:
            from cronsim import CronSim, CronSimError
        except ImportError as error:
            raise CronMissingError from error
        try:
            fields = len(self.expression.split())
            if fields != FIELDS:
                raise ScheduleError(self.expression, f"it has {fields} fields")
            return CronSim(self.expression, time)
        except (CronSimError, ValueError, TypeError, AttributeError, AssertionError) as error:
            # cronsim raises its own error for most mistakes, and other errors for the rest.
            raise ScheduleError(self.expression, str(error) or "it cannot be read") from error


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _offset_of_first(time: datetime, zone: ZoneInfo) -> timedelta | None:
    """Return the offset when the clocks show a time, for the first time if they do so twice."""
    return time.replace(tzinfo=zone, fold=0).utcoffset()


def _first_change(start: datetime, end: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the first second after ``start``, ``end`` at the latest, at which the clocks have another offset."""
    offset = _offset(start, zone)
    while start < end:
        high = min(start + _STEP, end)
        if _offset(high, zone) != offset:
            while high - start > _SECOND:
                middle = start + (high - start) // _SECOND // 2 * _SECOND
                start, high = (start, middle) if _offset(middle, zone) != offset else (middle, high)
            return high
        start = high
    return None
