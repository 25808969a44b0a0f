"""How an exception is written into a job's row and its attempt's."""

from __future__ import annotations

import traceback

MAX_ERROR = 4_000
MAX_TRACEBACK = 16_000
"""Characters kept; a traceback loses its middle, an error its end."""


def describe(error: BaseException) -> str:
    """Write type and message on one or more lines, such as ``ValueError: no such file``."""
    name = type(error).__qualname__
    try:
        message = str(error)
    except Exception as unprintable:
        message = f"<its message raised {type(unprintable).__name__}>"
    text = _storable(f"{name}: {message}" if message else name)
    return text if len(text) <= MAX_ERROR else text[: MAX_ERROR - 1] + "…"


def describe_traceback(error: BaseException) -> str:
    """Write the whole chain of an exception, without the frame of the caller that caught it."""
    inner = error.__traceback__.tb_next if error.__traceback__ is not None else None
    try:
        text = "".join(traceback.format_exception(type(error), error, inner))
    except Exception as unprintable:
        return f"{describe(error)} (its traceback raised {type(unprintable).__name__})"
    text = _storable(text)
    if len(text) <= MAX_TRACEBACK:
        return text
    half = MAX_TRACEBACK // 2
    return f"{text[:half]}\n... {len(text) - 2 * half:,} characters left out ...\n{text[-half:]}"


def _storable(text: str) -> str:
    # SQLite takes neither lone surrogates nor, in what C programs read, NUL.
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
