"""How instants and durations are written, and read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


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
    return next((f"{seconds / size:.0f} {unit}" for size, unit in _UNITS if seconds >= size), "0 s")
