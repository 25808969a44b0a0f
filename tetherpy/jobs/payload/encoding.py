"""Payloads and results as JSON text, with a limit of their size."""

from __future__ import annotations

from typing import Any, TypeVar

from tetherpy import json_codec
from tetherpy.errors import JsonError

from ..errors import STORED, PayloadDecodeError, PayloadEncodeError, PayloadTooLargeError

T = TypeVar("T")

MAX_PAYLOAD_BYTES = 1024 * 1024
"""The default bound on the size of one payload or result."""


def encode(value: object, max_bytes: int = MAX_PAYLOAD_BYTES) -> str | None:
    """Encode a value as JSON text; None stays None.

    Raises ``PayloadEncodeError`` with the path of a part that JSON cannot represent (also a cycle, or nesting deeper
    than 200 levels), ``PayloadTooLargeError`` above ``max_bytes``.
    """
    if value is None:
        return None
    try:
        encoded = json_codec.encode(value)
    except JsonError as error:
        raise PayloadEncodeError(error.path, error.reason) from error.__cause__
    if len(encoded) > max_bytes:
        raise PayloadTooLargeError(len(encoded), max_bytes)
    return encoded.decode()


def decode(text: str | None) -> Any:
    """Read JSON text as plain dicts, lists and scalars; no text is None.

    Raises ``PayloadDecodeError`` if the text is not JSON.
    """
    return None if text is None else _decoded(text, Any, STORED)


def decode_as(text: str | None, annotation: type[T] | Any, what: str = STORED) -> T:
    """Decode JSON text as the type of an annotation; None is null.

    Raises ``PayloadDecodeError`` with the path of the field that does not fit; ``what`` names the value in its message.
    """
    decoded: T = _decoded("null" if text is None else text, annotation, what)
    return decoded


def _decoded(text: str, annotation: Any, what: str) -> Any:
    try:
        return json_codec.decode(text, annotation)
    except JsonError as error:
        raise PayloadDecodeError(error.path, error.reason, what) from error.__cause__
