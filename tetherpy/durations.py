"""Read the durations that callers give, a ``timedelta`` or a number of seconds, and write those that people read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from .errors import DurationError

LONGEST = timedelta(days=365_000)
"""A thousand years: a time that far in the future is still a valid ``datetime``."""

_ZERO = timedelta(0)
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_KINDS = "it must be a timedelta or a number of seconds, such as timedelta(minutes=5) or 300"


def to_span(name: str, value: timedelta | float, *, positive: bool = False, most: timedelta = LONGEST) -> timedelta:
    """Return a duration as a ``timedelta``; ``name`` is the parameter that an error names.

    Raises ``DurationError`` if it is not a duration, if it is negative, if it is zero and must be ``positive``,
    or if it is longer than ``most``.
    """
    span = value if isinstance(value, timedelta) else _from_seconds(name, value)
    if span < _ZERO:
        raise DurationError(name, value, "it cannot be negative")
    if positive and not span:
        raise DurationError(name, value, "it must be longer than zero")
    if span > most:
        raise DurationError(name, value, f"it must be at most {most.days:,} days")
    return span


def to_optional_span(name: str, value: timedelta | float | None, *, positive: bool = False) -> timedelta | None:
    """Return a duration as a ``timedelta``, and None as it is; errors are those of ``to_span``."""
    return None if value is None else to_span(name, value, positive=positive)


def to_seconds(name: str, value: timedelta | float, *, positive: bool = False) -> float:
    """Return a duration in seconds; errors are those of ``to_span``."""
    return to_span(name, value, positive=positive).total_seconds()


def duration_text(duration: timedelta | float, *, units: int = 2) -> str:
    """Write a duration for people, in its largest units: ``45 ms``, ``2.5 s``, ``3 min 5 s``, ``4 d 3 h``.

    A duration below a minute has one unit, a longer one at most ``units`` (1 or 2).
    """
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    if round(seconds * 1_000) < 1_000:
        return f"{seconds * 1_000:.0f} ms"
    if round(seconds, 1) < 60:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    at = next(at for at, (size, _) in enumerate(_UNITS) if whole >= size)
    (size, unit), (small_size, small_unit) = _UNITS[at : at + 2]
    small = whole % size // small_size if units > 1 else 0
    return f"{whole // size:,} {unit}" + (f" {small} {small_unit}" if small else "")


def _from_seconds(name: str, value: Any) -> timedelta:
    # Refuse text: if "5" worked, users would expect "5m" to work.
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise DurationError(name, value, _KINDS)
    try:
        return timedelta(seconds=float(value))
    except (TypeError, ValueError) as error:
        raise DurationError(name, value, _KINDS) from error
    except OverflowError as error:
        raise DurationError(name, value, f"it must be at most {LONGEST.days:,} days") from error
