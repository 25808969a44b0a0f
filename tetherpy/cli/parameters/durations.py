"""How instants and durations are written, and read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import typer

_UNITS = {"d": 86400, "h": 3600, "min": 60, "s": 1}
_SECONDS = {"": 1, "m": 60, "w": 7 * 86400, **_UNITS}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)")


def instant(moment: datetime | None) -> str | None:
    """Write an instant as the tables hold it: ISO 8601, UTC, microseconds."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """Say how long ago an instant was, or how soon it comes, in its largest unit."""
    if moment is None:
        return ""
    seconds = ((now or datetime.now(UTC)) - moment) / timedelta(seconds=1)
    return f"{span(seconds)} ago" if seconds >= 0 else f"in {span(-seconds)}"


def span(seconds: float) -> str:
    """Write a duration in the largest unit that it fills."""
    return next((f"{seconds // size:.0f} {unit}" for unit, size in _UNITS.items() if seconds >= size), "0 s")


def write_duration(duration: timedelta) -> str:
    """Write a duration so that ``read_duration`` reads the same."""
    return f"{duration.total_seconds():f}".rstrip("0").rstrip(".") + "s"


def read_duration(text: str) -> timedelta:
    """Read ``90``, ``90s``, ``15m``, ``15min``, ``12h``, ``7d``, ``2w``; a number without a unit is seconds."""
    found = _DURATION.fullmatch(text.strip().lower())
    seconds = None if found is None else _SECONDS.get(found[2])
    if found is None or seconds is None:
        raise typer.BadParameter(f"{text!r} is no duration. Write 90s, 15m, 12h, 7d or 2w.")
    try:
        return timedelta(seconds=float(found[1]) * seconds)
    except OverflowError as error:
        raise typer.BadParameter(f"{text!r} is longer than any duration can be.") from error


def read_instant(text: str) -> datetime:
    """Read an instant in ISO 8601; one without an offset is in this machine's time zone."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{text!r} is no instant. Write it as 2030-01-31T09:00 or 2030-01-31T09:00Z."
        ) from error
