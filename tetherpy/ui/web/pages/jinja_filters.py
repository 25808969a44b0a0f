"""Jinja filters."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import msgspec

from tetherpy.durations import duration_text
from tetherpy.jobs import BackgroundJobStatus
from tetherpy.safe_text import one_line, plain

MAX_JSON_CHARACTERS = 100_000

ICONS = {
    BackgroundJobStatus.PENDING: "clock",
    BackgroundJobStatus.RUNNING: "play",
    BackgroundJobStatus.COMPLETED: "check",
    BackgroundJobStatus.FAILED: "cross",
    BackgroundJobStatus.CANCELLED: "slash",
}


def number(value: int) -> str:
    """Format an integer with narrow no-break spaces between thousands."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def compact(value: float) -> str:
    """Format a number in about four characters, such as 12.5k."""
    for bound, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= bound:
            scaled = value / bound
            return f"{scaled:.0f}{unit}" if scaled >= 100 else f"{scaled:.1f}".removesuffix(".0") + unit
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def span(value: timedelta | float | None) -> str:
    """Format a duration; one that is unknown or has no end is a dash."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "\N{EN DASH}"
    return duration_text(value)


def instant(value: datetime) -> str:
    """Format an instant in UTC, for browsers without scripts that would show local time."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def iso(value: datetime) -> str:
    """Format an instant for the ``datetime`` attribute."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def json_text(text: str | None) -> str:
    """Indent JSON, with a bound on its length; other text is shown unchanged."""
    if text is None:
        return ""
    try:
        shown = msgspec.json.format(text.encode(), indent=2).decode()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        shown = text
    return plain(shown, MAX_JSON_CHARACTERS)


FILTERS = {
    "number": number,
    "compact": compact,
    "span": span,
    "instant": instant,
    "iso": iso,
    "json_text": json_text,
    "one_line": one_line,
    "plain": plain,
}
