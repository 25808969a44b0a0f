"""Sanitize untrusted text for a terminal: escape control and bidirectional characters."""

from __future__ import annotations

import re

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_SHORT = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def harmless(text: str) -> str:
    r"""Escape control characters, bidirectional controls and lone surrogates, as in ``\n`` and ``\x1b``."""
    return _UNSAFE.sub(_escape, text)


def harmless_json(text: str) -> str:
    """Use JSON escapes, which do not change the value; for text without line breaks."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def on_one_line(text: str) -> str:
    """Join the lines of a message, and escape it."""
    return harmless(" ".join(text.split()))


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
