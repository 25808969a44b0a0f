"""The meta of a job: a JSON object of strings that tetherpy stores, finds and shows, and never interprets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

from ..errors import JobArgumentError, PayloadEncodeError
from .encoding import encode

MAX_META_BYTES = 4096
"""The bound on the size of one meta as JSON."""


def check_meta(name: str, given: object) -> dict[str, str]:
    """Return a copy of a mapping from str to str; raise ``JobArgumentError`` for another value or a larger one."""
    if not _is_mapping(given):
        raise JobArgumentError(name, given, f"it must be a dict of strings, not a {type(given).__name__}")
    pairs: dict[Any, Any] = dict(given)
    for key, value in pairs.items():
        if type(key) is not str or type(value) is not str:
            raise JobArgumentError(name, {key: value}, "its keys and values must be str")
        if "\0" in key or "\0" in value:
            raise JobArgumentError(name, {key: value}, "it contains the character NUL")
    try:
        encoded = encode(pairs) or ""
    except PayloadEncodeError as error:
        raise JobArgumentError(name, given, error.reason) from error
    size = len(encoded.encode())
    if size > MAX_META_BYTES:
        reason = f"it takes {size:,} bytes as JSON, and {MAX_META_BYTES:,} fit; put large values into the payload"
        raise JobArgumentError(name, given, reason)
    return pairs


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)
