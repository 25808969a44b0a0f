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


def to_integer(name: str, value: object) -> int:
    """Convert whatever supports ``operator.index``; no float does, not even a whole one."""
    try:
        return operator.index(value)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    except TypeError:
        raise JobArgumentError(name, "an integer", value) from None


def is_storable(number: int) -> bool:
    """Tell whether an SQL integer, which has 64 bits, holds the number."""
    return _LOWEST <= number <= _HIGHEST


def to_number(name: str, value: object) -> float:
    """Convert whatever converts itself with ``float``; text is refused."""
    if isinstance(value, str | bytes | bytearray):
        raise JobArgumentError(name, "a number", value)
    try:
        return float(value)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError):
        raise JobArgumentError(name, "a number", value) from None


def to_string(name: str, value: object) -> str:
    """Convert a subclass of ``str`` to its characters; refuse all else, bytes included."""
    if type(value) is str:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    raise JobArgumentError(name, "a str", value)


def to_instant(name: str, value: object) -> datetime:
    """Return an aware datetime; raise ``ValueError`` for one without a time zone."""
    if not isinstance(value, datetime):
        raise JobArgumentError(name, "a datetime", value)
    if value.tzinfo is None or value.utcoffset() is None:
        raise ValueError(f"{name} {value!r} has no time zone; use an aware datetime.")
    return value


def to_status(status: object) -> BackgroundJobStatus:
    """Return a status that is given as itself or as its text; raise ``UnknownStatusError`` for any other value."""
    try:
        return BackgroundJobStatus(status)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    except ValueError:
        raise UnknownStatusError(status, tuple(known.value for known in BackgroundJobStatus)) from None
