"""Explanations of failed comparisons, shown by pytest."""

from __future__ import annotations

import traceback
from collections.abc import Sized
from typing import Any, TypeAlias, TypeGuard

from tetherpy.reactive import AsyncValue, brief

from .job_list import JobFacts, JobList

Value: TypeAlias = AsyncValue[Any]


def explain_comparison(op: str, left: object, right: object) -> list[str] | None:
    """Return the lines that explain why ``left op right`` is false, None to leave it to pytest."""
    if op != "==":
        return None
    if _is_value(left) and _is_value(right):
        return [
            f"{brief(left)} == {brief(right)}",
            *_sides(_parts(left), _parts(right)),
            *_origin(left),
            *_origin(right),
        ]
    if _is_list(left) or _is_list(right):
        return [f"{_title(left)} == {_title(right)}", "Left:", *_lines(left), "Right:", *_lines(right)]
    return None


def jobs_behind(left: object, right: object) -> list[str]:
    """Return lines that show the jobs whose facts were compared; none if it was something else."""
    lists: list[JobList] = [value.jobs for value in (left, right) if isinstance(value, JobFacts)]
    return ["of these jobs:", *(line for jobs in lists for line in _lines(jobs))] if lists else []


def _is_list(value: object) -> TypeGuard[JobList]:
    return isinstance(value, JobList)


def _is_value(value: object) -> TypeGuard[Value]:
    return isinstance(value, AsyncValue)


def _parts(value: Value) -> dict[str, str]:
    """Return the parts of an asynchronous value by name, without empty parts."""
    parts = {"kind": type(value).__name__}
    if value.has_value:
        parts["value"] = brief(value.value)
    if value.error is not None:
        parts["error"] = brief(value.error)
    if value.has_value or value.has_error:
        for name in ("is_loading", "retrying", "is_from_cache"):
            parts[name] = repr(getattr(value, name))
    if value.progress is not None:
        parts["progress"] = repr(value.progress)
    return parts


def _sides(left: dict[str, str], right: dict[str, str]) -> list[str]:
    pairs = {name: (left.get(name, "nothing"), right.get(name, "nothing")) for name in (*left, *right)}
    return [f"  {name}: {one} != {other}" for name, (one, other) in pairs.items() if one != other]


def _origin(value: Value) -> list[str]:
    """Say where the error of a value was raised."""
    error = value.error
    if error is None or error.__traceback__ is None:
        return []
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return [f"  {type(error).__name__} was raised at {frame.filename}:{frame.lineno} in {frame.name}"]


def _title(value: object) -> str:
    size = f" of {len(value)}" if isinstance(value, Sized) else ""
    return type(value).__name__ + size


def _lines(value: object) -> list[str]:
    return [f"  {line}" for line in repr(value).splitlines()]
