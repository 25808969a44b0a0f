"""Where in a value the part is that JSON cannot hold; looked for only after encoding failed."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator, Mapping
from numbers import Rational, Real
from typing import Any, TypeGuard, cast

import attrs
import msgspec

from .json_types import ENCODER

MAX_DEPTH = 200
"""How deeply a payload or result may be nested."""
_SHOWN_LEVELS = 6
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def nesting(encoded: bytes) -> int:
    """Return the nesting depth of JSON text; brackets inside strings do not count."""
    if encoded.count(b"[") + encoded.count(b"{") <= MAX_DEPTH:
        return 0  # the depth cannot exceed the number of brackets: true for nearly every text
    depth = deepest = 0
    for bracket in _STRING.sub(b"", encoded).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def find_unencodable(value: object) -> tuple[str, str] | None:
    """Return path and reason of the first part that JSON cannot hold, None if all fits."""
    todo: list[tuple[tuple[str, ...], object]] = [((), value)]
    while todo:
        path, part = todo.pop()
        reason = _unencodable(part) if len(path) <= MAX_DEPTH else "it is nested too deeply, or contains itself"
        if reason is not None:
            return _show(path), reason
        todo += reversed([((*path, step), child) for step, child in _children(part)])
    return None


def _show(path: tuple[str, ...]) -> str:
    if len(path) > _SHOWN_LEVELS:
        path = (*path[:_SHOWN_LEVELS], "...")
    return "$" + "".join(path)


def _unencodable(part: object) -> str | None:
    if _is_not_finite(part):
        return f"{part} is not a JSON number"
    if isinstance(part, str):
        return _lone_surrogate(part)
    if _is_mapping(part):
        return next(filter(None, map(_bad_key, part)), None)
    if next(iter(_children(part)), None) is not None:
        return None
    try:
        ENCODER.encode(part)
    except (TypeError, ValueError, OverflowError) as error:
        return str(error)
    return None


def _is_not_finite(part: object) -> bool:
    return isinstance(part, Real) and not isinstance(part, Rational) and not math.isfinite(part)


def _lone_surrogate(text: str) -> str | None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"the character at {error.start} is a lone surrogate, which UTF-8 cannot hold"
    return None


def _bad_key(key: object) -> str | None:
    if _is_not_finite(key):
        return f"the key {key} is not a JSON number"
    try:
        ENCODER.encode({key: None})
    except (TypeError, ValueError) as error:
        return f"the key {key!r:.60} is not a string: {error}"
    return None


def _is_mapping(part: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(part, Mapping)


def _children(part: object) -> Iterator[tuple[str, object]]:
    if _is_mapping(part):
        for key, child in part.items():
            yield f".{key}", child
    elif isinstance(part, list | tuple | set | frozenset):
        for index, child in enumerate(cast("list[Any]", part)):
            yield f"[{index}]", child
    else:
        for name in _field_names(part):
            yield f".{name}", getattr(part, name, None)


def _field_names(part: object) -> list[str]:
    kind: Any = type(part)
    if attrs.has(kind):
        return [field.name for field in attrs.fields(kind)]
    if dataclasses.is_dataclass(kind):
        return [field.name for field in dataclasses.fields(kind)]
    if issubclass(kind, msgspec.Struct):
        return list(kind.__struct_fields__)
    return []
