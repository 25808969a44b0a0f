"""Values of columns: each is read strictly, since other programs write to the tables too."""

from __future__ import annotations

from datetime import datetime
from math import isfinite
from typing import Any

from .timestamps import from_text

MISFITS = (TypeError, ValueError, KeyError, OverflowError)
"""The errors of a value that cannot be read."""


def text(value: Any) -> str:
    """Return a text; raise ``TypeError`` for any other value."""
    if type(value) is not str:
        raise TypeError
    return value


def optional_text(value: Any) -> str | None:
    """Return a text or None, as ``text`` does."""
    return None if value is None else text(value)


def integer(value: Any) -> int:
    """Return an integer; raise ``TypeError`` for any other value."""
    if type(value) is not int:
        raise TypeError
    return value


def integer_or_zero(value: Any) -> int:
    """Return an integer, as ``integer`` does, or 0 for NULL."""
    return 0 if value is None else integer(value)


def number(value: Any) -> float:
    """Return a finite number; raise ``TypeError`` for any other value."""
    if type(value) not in {int, float} or not isfinite(value):
        raise TypeError
    return float(value)


def optional_number(value: Any) -> float | None:
    """Return a finite number or None, as ``number`` does."""
    return None if value is None else number(value)


def instant(value: Any) -> datetime:
    """Return the instant of a datetime or an ISO 8601 text; raise ``TypeError`` or ``ValueError`` for other values."""
    return value if isinstance(value, datetime) else from_text(text(value))


def optional_instant(value: Any) -> datetime | None:
    """Return an instant or None, as ``instant`` does."""
    return None if value is None else instant(value)


def text_or_none(value: Any) -> str | None:
    """Return a text; None for any other value, so that the rest of the row is shown."""
    return value if type(value) is str else None


def instant_or_none(value: object) -> datetime | None:
    """Decode an instant; None if it is invalid, so that the rest of the row is shown."""
    try:
        return optional_instant(value)
    except MISFITS:
        return None
