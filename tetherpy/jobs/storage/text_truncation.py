"""Text of a handler, made fit to store."""

from __future__ import annotations

ERROR_CHARACTERS = 10_000
TRACEBACK_CHARACTERS = 100_000


def truncated(text: str | None, limit: int = ERROR_CHARACTERS) -> str | None:
    """Bound a text by leaving its middle out, and write lone surrogates as escapes."""
    if text is None:
        return None
    if len(text) > limit:
        half = limit // 2
        text = f"{text[:half]} ... ({len(text) - 2 * half:,} characters left out) ... {text[-half:]}"
    return text.encode(errors="backslashreplace").decode()
