"""When a periodic job's next tick is: cron expressions in a time zone, through ``cronsim``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from .errors import CronMissingError, ScheduleError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


def _zone(name: str) -> ZoneInfo:
    # A worker without periodic jobs starts faster without it.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ScheduleError(name, "there is no such time zone") from error


@attrs.frozen
class Cron:
    """Tick as a five-field cron expression says, on the clocks of ``time_zone``.

    Around a change of daylight saving time cronsim does as Debian's cron does: a tick at a fixed time of
    day happens once (right after the gap if it falls into one), one with a wildcard in minutes or
    hours follows the time that really passes.
    """

    expression: str
    time_zone: str = "UTC"

    def __attrs_post_init__(self) -> None:
        self.next_after(datetime.now(UTC))

    def next_after(self, moment: datetime) -> datetime:
        """Return the first tick after an aware datetime, in UTC."""
        try:
            from cronsim import CronSim, CronSimError
        except ImportError as error:
            raise CronMissingError from error
        try:
            return next(CronSim(self.expression, moment.astimezone(_zone(self.time_zone)))).astimezone(UTC)
        except CronSimError as error:
            raise ScheduleError(self.expression, str(error)) from error
        except StopIteration as error:
            raise ScheduleError(self.expression, "no date within fifty years fits it") from error


@attrs.frozen
class Every:
    """Tick at whole multiples of ``interval`` since 1970, so that all workers agree on the ticks."""

    interval: timedelta = attrs.field(validator=attrs.validators.ge(timedelta(milliseconds=1)))

    def next_after(self, moment: datetime) -> datetime:
        """Return the first tick after an aware datetime, in UTC."""
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        return epoch + ((moment - epoch) // self.interval + 1) * self.interval
