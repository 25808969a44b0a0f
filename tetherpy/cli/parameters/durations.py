"""Format and parse instants and durations."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import typer

from tetherpy.durations import duration_text

_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)")


def instant(moment: datetime | None) -> str | None:
    """Format an instant as in the tables: ISO 8601, UTC, microseconds."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """Format the distance of an instant from now in its largest unit, such as ``5 min ago`` or ``in 2 h``."""
    if moment is None:
        return ""
    seconds = ((now or datetime.now(UTC)) - moment) / timedelta(seconds=1)
    return f"{duration_text(seconds, units=1)} ago" if seconds >= 0 else f"in {duration_text(-seconds, units=1)}"


def write_duration(duration: timedelta) -> str:
    """Format a duration for ``read_duration``."""
    return f"{duration.total_seconds():f}".rstrip("0").rstrip(".") + "s"


def read_duration(text: str) -> timedelta:
    """Parse ``90``, ``90s``, ``15m``, ``15min``, ``12h``, ``7d``, ``2w``; a number without a unit is in seconds."""
    found = _DURATION.fullmatch(text.strip().lower())
    seconds = None if found is None else _SECONDS.get(found[2])
    if found is None or seconds is None:
        raise typer.BadParameter(f"{text!r} is not a duration. Use a form such as 90s, 15m, 12h, 7d or 2w.")
    try:
        return timedelta(seconds=float(found[1]) * seconds)
    except OverflowError as error:
        raise typer.BadParameter(f"{text!r} is too long: the maximum is 999999999d.") from error


def read_instant(text: str) -> datetime:
    """Parse an instant in ISO 8601; without an offset it is in local time."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{text!r} is not an instant. Use ISO 8601, such as 2030-01-31T09:00 or 2030-01-31T09:00Z."
        ) from error
