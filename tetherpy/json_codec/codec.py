"""JSON text from values, and values of annotated types from JSON text.

``msgspec`` writes and reads. Beyond it: NaN and infinities are refused instead of becoming null, paths and NumPy
scalars are written as text and numbers, and every refusal names the path of the value. Keys that are numbers are
written as strings, as JSON has no others; an annotation such as ``dict[int, str]`` turns them back. Strings may hold
NUL; lone surrogates have no UTF-8 form and are refused.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tetherpy.errors import JsonError

from .json_types import ENCODER, from_builtin
from .unencodable import MAX_DEPTH, find_unencodable, nesting


def encode(value: object) -> bytes:
    """Encode a value as JSON.

    Raises:
        JsonError: JSON cannot represent a part, or it contains itself or is nested deeper than ``MAX_DEPTH``.
    """
    try:
        encoded = ENCODER.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        unencodable = find_unencodable(value)
        raise JsonError(*(("$", str(error)) if unencodable is None else unencodable)) from error
    # msgspec writes NaN and infinities as null, so only text with a null can hide one. The limit of the depth is our
    # own, because interpreters differ in the depth that they can decode.
    if (b"null" in encoded or nesting(encoded) > MAX_DEPTH) and (unencodable := find_unencodable(value)) is not None:
        raise JsonError(*unencodable)
    return encoded


def decode(text: str | bytes, annotation: Any = Any) -> Any:
    """Decode JSON as the type of an annotation; by default as plain dicts, lists and scalars.

    Raises:
        JsonError: it is not JSON, or a part does not fit.
    """
    try:
        return msgspec.json.decode(text, type=annotation, dec_hook=from_builtin)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        reason, found, place = str(error).rpartition(" - at `")
        raise JsonError(*((place.rstrip("`"), reason) if found else ("$", str(error)))) from error
