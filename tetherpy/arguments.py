"""Conversion of arguments to plain int, float, str and tuple; other types are refused at the call.

A value of a similar type (an ``IntEnum`` member, a NumPy scalar, a ``StrEnum`` member) is converted, because a
database driver may store it in a form that cannot be read again. Any other type is the package's ``ArgumentError``.
"""

from __future__ import annotations

import operator
from typing import Any

from .errors import ArgumentError


def wrong_type(refusal: type[ArgumentError], name: str, value: object, expected: str) -> ArgumentError:
    """Return the error for a value of a wrong type."""
    return refusal(name, value, f"it must be {expected}, not {type(value).__qualname__}")


def to_integer(refusal: type[ArgumentError], name: str, value: object) -> int:
    """Convert whatever supports ``operator.index`` (no float does, not even a whole one); refuse a bool."""
    if isinstance(value, bool):
        raise wrong_type(refusal, name, value, "an integer")
    try:
        return operator.index(value)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    except TypeError:
        raise wrong_type(refusal, name, value, "an integer") from None


def to_count(refusal: type[ArgumentError], name: str, value: object) -> int:
    """Convert a number of things, from 1 to 2**31 - 1."""
    number = to_integer(refusal, name, value)
    if not 1 <= number < 2**31:
        raise refusal(name, number, "it must be from 1 to 2**31 - 1")
    return number


def to_number(refusal: type[ArgumentError], name: str, value: object) -> float:
    """Convert whatever converts itself with ``float``; text and bools are refused."""
    if isinstance(value, str | bytes | bytearray | bool):
        raise wrong_type(refusal, name, value, "a number")
    try:
        return float(value)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError):
        raise wrong_type(refusal, name, value, "a number") from None
    except OverflowError:
        raise refusal(name, value, "it is too large for a float") from None


def to_string(refusal: type[ArgumentError], name: str, value: object) -> str:
    """Convert a subclass of ``str`` to its characters; refuse all else, bytes included."""
    if type(value) is str:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    raise wrong_type(refusal, name, value, "a str")


def to_items(refusal: type[ArgumentError], name: str, value: object, expected: str) -> tuple[Any, ...]:
    """Return the items of a collection; ``expected`` describes one, for the error about another value."""
    try:
        return tuple(value)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportUnknownVariableType]
    except TypeError:
        raise wrong_type(refusal, name, value, expected) from None
