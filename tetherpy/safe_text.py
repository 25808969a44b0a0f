"""Sanitize untrusted text for display: bound its length, and escape control and bidirectional characters."""

from __future__ import annotations

import re
from typing import Final

_CONTROLS: Final = r"\x00-\x09\x0b-\x1f\x7f-\x9f"
_REORDERING: Final = r"\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
_SURROGATES: Final = r"\ud800-\udfff"
_UNSAFE: Final = re.compile(f"[{_CONTROLS}{_REORDERING}{_SURROGATES}]")


def plain(text: str, limit: int = 20_000) -> str:
    r"""Escape control characters other than line breaks, bidirectional controls and lone surrogates, as in ``\x1b``.

    The middle of a text longer than ``limit`` characters is left out.
    """
    if len(text) > limit:
        head, tail = limit * 2 // 3, limit // 3
        text = f"{text[:head]}\n... {len(text) - head - tail:,} characters left out ...\n{text[-tail:]}"
    return _UNSAFE.sub(_escape, text.replace("\r\n", "\n").replace("\t", "    "))


def one_line(text: str, limit: int = 200) -> str:
    """Return the sanitized text on one line, truncated to ``limit`` characters."""
    line = " ".join(text[: limit * 4].split())
    return plain(line if len(line) <= limit else f"{line[: limit - 1]}…")


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
