"""Plain int, float and str from the arguments that callers give: converted, or refused at the call.

A value of a look-alike type (an ``IntEnum`` member, a NumPy scalar, a ``StrEnum`` member) is converted, because a
database driver may store it in a form that cannot be read again. Any other type is a ``JobArgumentError``.
"""

from __future__ import annotations

import operator
from datetime import datetime

from .errors import JobArgumentError, UnknownStatusError
from .status import BackgroundJobStatus

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
NO_TIME_ZONE = "it has no time zone; use an aware datetime, such as datetime.now(UTC) + timedelta(minutes=5)"
"""Why a naive datetime is refused."""


def _wrong_type(name: str, value: object, expected: str) -> JobArgumentError:
    return JobArgumentError(name, value, f"it must be {expected}, not {type(value).__qualname__}")


def to_integer(name: str, value: object) -> int:
    """Convert whatever supports ``operator.index``; no float does, not even a whole one."""
    try:
        return operator.index(value)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    except TypeError:
        raise _wrong_type(name, value, "an integer") from None


def is_storable(number: int) -> bool:
    """Tell whether an SQL integer, which has 64 bits, holds the number."""
    return _LOWEST <= number <= _HIGHEST


def check_bounds(name: str, number: int, least: int = _LOWEST) -> None:
    """Raise ``JobArgumentError`` for a number below ``least``, or one that an SQL integer of 64 bits cannot hold."""
    if not least <= number <= _HIGHEST:
        bounds = "a 64-bit integer" if least == _LOWEST else f"from {least} to 2**63 - 1"
        raise JobArgumentError(name, number, f"it must be {bounds}")


def to_number(name: str, value: object) -> float:
    """Convert whatever converts itself with ``float``; text is refused."""
    if isinstance(value, str | bytes | bytearray):
        raise _wrong_type(name, value, "a number")
    try:
        return float(value)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError):
        raise _wrong_type(name, value, "a number") from None


def to_string(name: str, value: object) -> str:
    """Convert a subclass of ``str`` to its characters; refuse all else, bytes included."""
    if type(value) is str:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    raise _wrong_type(name, value, "a str")


def to_instant(name: str, value: object) -> datetime:
    """Return an aware datetime; raise ``JobArgumentError`` for one without a time zone."""
    if not isinstance(value, datetime):
        raise _wrong_type(name, value, "a datetime")
    if value.tzinfo is None or value.utcoffset() is None:
        raise JobArgumentError(name, value, NO_TIME_ZONE)
    return value


def to_status(status: object) -> BackgroundJobStatus:
    """Return a status that is given as itself or as its text; raise ``UnknownStatusError`` for any other value."""
    try:
        return BackgroundJobStatus(status)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    except ValueError:
        raise UnknownStatusError(status, tuple(known.value for known in BackgroundJobStatus)) from None
