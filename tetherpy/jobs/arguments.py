"""The arguments of jobs and queries: plain values, or a ``JobArgumentError`` at the call."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from tetherpy import arguments
from tetherpy.durations import to_optional_span

from .errors import JobArgumentError, JobRunningError, UnknownStatusError
from .status import BackgroundJobStatus

_LOWEST, HIGHEST = -(2**63), 2**63 - 1
"""The bounds of an SQL integer."""
NO_TIME_ZONE = "it has no time zone; use an aware datetime, such as datetime.now(UTC) + timedelta(minutes=5)"
"""Why a naive datetime is refused."""

to_items = partial(arguments.to_items, JobArgumentError)
to_count = partial(arguments.to_count, JobArgumentError)
to_integer = partial(arguments.to_integer, JobArgumentError)
to_number = partial(arguments.to_number, JobArgumentError)
to_string = partial(arguments.to_string, JobArgumentError)


def is_storable(number: int) -> bool:
    """Tell whether an SQL integer, which has 64 bits, holds the number."""
    return _LOWEST <= number <= HIGHEST


def check_bounds(name: str, number: int, least: int = _LOWEST) -> None:
    """Raise ``JobArgumentError`` for a number below ``least``, or one that an SQL integer of 64 bits cannot hold."""
    if not least <= number <= HIGHEST:
        bounds = "a 64-bit integer" if least == _LOWEST else f"from {least} to 2**63 - 1"
        raise JobArgumentError(name, number, f"it must be {bounds}")


def to_instant(name: str, value: object) -> datetime:
    """Return an aware datetime; raise ``JobArgumentError`` for one without a time zone."""
    if not isinstance(value, datetime):
        raise arguments.wrong_type(JobArgumentError, name, value, "a datetime")
    if value.tzinfo is None or value.utcoffset() is None:
        raise JobArgumentError(name, value, NO_TIME_ZONE)
    return value


def to_deletion(
    status: object, older_than: timedelta | float | None, now: datetime
) -> tuple[BackgroundJobStatus, datetime]:
    """Return the status of the jobs to delete, and the time before which they ended.

    Raises ``JobRunningError`` for RUNNING.
    """
    deleted, age = to_status(status), to_optional_span("older_than", older_than)
    if deleted is BackgroundJobStatus.RUNNING:
        raise JobRunningError("Jobs", "deleted")
    return deleted, now - (age or timedelta(0))


def to_status(status: object) -> BackgroundJobStatus:
    """Return a status that is given as itself or as its text; raise ``UnknownStatusError`` for any other value."""
    try:
        return BackgroundJobStatus(status)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    except ValueError:
        raise UnknownStatusError(status, tuple(known.value for known in BackgroundJobStatus)) from None
