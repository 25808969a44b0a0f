"""What pytest shows when two values of this library are not equal."""

from __future__ import annotations

import traceback
from typing import Any, TypeAlias, TypeGuard

from tetherpy.reactive import AsyncValue

from .job_list import JobList

Value: TypeAlias = AsyncValue[Any]


def explain_comparison(op: str, left: object, right: object) -> list[str] | None:
    """Return the lines that explain why ``left op right`` is false, None to leave it to pytest."""
    if op != "==":
        return None
    if _is_value(left) and _is_value(right):
        return [f"{left!r} == {right!r}", *_sides(_parts(left), _parts(right)), *_origin(left), *_origin(right)]
    if isinstance(left, JobList) or isinstance(right, JobList):
        return ["jobs differ", "Left:", *_lines(left), "Right:", *_lines(right)]
    return None


def _is_value(value: object) -> TypeGuard[Value]:
    return isinstance(value, AsyncValue)


def _parts(value: Value) -> dict[str, object]:
    """What an asynchronous value says, by name; parts that say nothing are left out."""
    parts: dict[str, object] = {"kind": type(value).__name__}
    if value.has_value:
        parts["value"] = value.value
    if value.error is not None:
        parts["error"] = value.error
    if value.is_loading and not value.has_value and not value.has_error:
        parts["progress"] = value.progress
    if value.has_value or value.has_error:
        parts |= {"is_loading": value.is_loading, "retrying": value.retrying, "is_from_cache": value.is_from_cache}
    return parts


def _sides(left: dict[str, object], right: dict[str, object]) -> list[str]:
    nothing = "nothing"
    names = [*left, *(name for name in right if name not in left)]
    shown = [(name, _text(left.get(name, nothing)), _text(right.get(name, nothing))) for name in names]
    return [f"  {name}: {one} != {other}" for name, one, other in shown if one != other]


def _text(value: object) -> str:
    return repr(value) if not isinstance(value, str) else value


def _origin(value: Value) -> list[str]:
    """Say where the error of a value was raised."""
    error = value.error
    if error is None or error.__traceback__ is None:
        return []
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return [f"  {type(error).__name__} was raised at {frame.filename}:{frame.lineno} in {frame.name}"]


def _lines(value: object) -> list[str]:
    return [f"  {line}" for line in repr(value).splitlines()]
