"""Instants as the tables hold them: ISO 8601, UTC, microseconds, always 27 characters.

The fixed width makes the order of the text the order of time, which every index on a time
column relies on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

from ..arguments import NO_TIME_ZONE
from ..errors import JobArgumentError

WallClock: TypeAlias = Callable[[], datetime]
"""A function that returns the present as an aware UTC datetime; tests pass ``tetherpy.testing.Clock().now``."""


def utc_now() -> datetime:
    """Return the present, aware, in UTC."""
    return datetime.now(UTC)


def in_utc(instant: datetime) -> datetime:
    """Return an aware datetime in UTC; a naive one is a ``JobArgumentError``."""
    if instant.tzinfo is None:
        raise JobArgumentError("instant", instant, NO_TIME_ZONE)
    return instant.astimezone(UTC)


def to_text(instant: datetime) -> str:
    """Write an aware datetime in the fixed form; a naive one is a ``JobArgumentError``."""
    return in_utc(instant).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def to_optional_text(instant: datetime | None) -> str | None:
    """Write an aware datetime as ``to_text`` does; None stays None."""
    return None if instant is None else to_text(instant)


def from_text(text: str) -> datetime:
    """Read any ISO 8601 text, the seed's milliseconds included; one without an offset is UTC."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is UTC:
        return instant
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
