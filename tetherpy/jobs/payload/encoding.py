"""Payloads and results as JSON text: dict, attrs class, dataclass, TypedDict, Struct, scalars, None.

``msgspec`` writes and reads. Beyond it: NaN and infinities are refused instead of becoming null, paths and NumPy
scalars are written as text and numbers, and every refusal names the path of the value. Keys that are numbers are
written as strings, as JSON has no others; an annotation such as ``dict[int, str]`` turns them back. Strings may hold
NUL; lone surrogates have no UTF-8 form and are refused.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from ..errors import STORED, PayloadDecodeError, PayloadEncodeError, PayloadTooLargeError
from .json_types import ENCODER, from_builtin
from .unencodable import MAX_DEPTH, find_unencodable, nesting

T = TypeVar("T")

MAX_PAYLOAD_BYTES = 1024 * 1024
"""The default bound on the size of one payload or result."""

_DECODER = msgspec.json.Decoder()


def encode(value: object, max_bytes: int = MAX_PAYLOAD_BYTES) -> str | None:
    """Encode a value as JSON text; None stays None.

    Raises ``PayloadEncodeError`` with the path of a part that JSON cannot represent (also a cycle, or nesting deeper
    than ``MAX_DEPTH``), ``PayloadTooLargeError`` above ``max_bytes``.
    """
    if value is None:
        return None
    try:
        encoded = ENCODER.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        unencodable = find_unencodable(value)
        if unencodable is None:
            raise PayloadEncodeError("$", str(error)) from error
        raise PayloadEncodeError(*unencodable) from error
    # msgspec writes NaN and infinities as null, so only text with a null can hide one. The limit of the depth is our
    # own, because interpreters differ in the depth that they can decode.
    if (b"null" in encoded or nesting(encoded) > MAX_DEPTH) and (unencodable := find_unencodable(value)) is not None:
        raise PayloadEncodeError(*unencodable)
    if len(encoded) > max_bytes:
        raise PayloadTooLargeError(len(encoded), max_bytes)
    return encoded.decode()


def decode(text: str | None) -> Any:
    """Read JSON text as plain dicts, lists and scalars; no text is None.

    Raises ``PayloadDecodeError`` if the text is not JSON.
    """
    if text is None:
        return None
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise _as_decode_error(error) from error


def decode_as(text: str | None, annotation: type[T] | Any, what: str = STORED) -> T:
    """Decode JSON text as the type of an annotation; None is null.

    Raises ``PayloadDecodeError`` with the path of the field that does not fit; ``what`` names the value in its message.
    """
    try:
        return msgspec.json.decode("null" if text is None else text, type=annotation, dec_hook=from_builtin)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise _as_decode_error(error, what) from error


def _as_decode_error(error: Exception, what: str = STORED) -> PayloadDecodeError:
    reason, found, place = str(error).rpartition(" - at `")
    path, reason = (place.rstrip("`"), reason) if found else ("$", str(error))
    return PayloadDecodeError(path, reason, what)
