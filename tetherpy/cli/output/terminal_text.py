"""Text of others' made fit for a terminal: what steers it, or reorders what is read, is shown and not obeyed."""

from __future__ import annotations

import re

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_SHORT = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def harmless(text: str) -> str:
    r"""Write control characters, bidirectional controls and lone surrogates as escapes such as ``\n``, ``\x1b``."""
    return _UNSAFE.sub(_escape, text)


def harmless_json(text: str) -> str:
    """Write them as JSON's own escapes, which mean the same to a reader; for text without line breaks."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def on_one_line(text: str) -> str:
    """Join the lines of a message, and make it harmless."""
    return harmless(" ".join(text.split()))


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
