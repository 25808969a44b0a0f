"""The text of an exception in the rows of a job and an attempt."""

from __future__ import annotations

import traceback

MAX_ERROR = 4_000
MAX_TRACEBACK = 16_000
"""Maximum characters. A longer traceback is truncated in the middle, a longer error at its end."""


def describe(error: BaseException) -> str:
    """Return type and message, such as ``ValueError: no such file``."""
    name = type(error).__qualname__
    try:
        message = str(error)
    except Exception as unprintable:
        message = f"<its message raised {type(unprintable).__name__}>"
    text = _storable(f"{name}: {message}" if message else name)
    return text if len(text) <= MAX_ERROR else text[: MAX_ERROR - 1] + "…"


def describe_traceback(error: BaseException) -> str:
    """Return the traceback of an exception and its causes, without the frame that caught it."""
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
    # SQLite does not store lone surrogates, and C programs read a text only up to a NUL.
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
