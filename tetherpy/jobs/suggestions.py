"""The hint that an error gives when a name is nearly one that is known."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` for the nearest known name, an empty text if none is near."""
    # Imported here: only a call that failed needs it.
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1)
    return f" (did you mean {near[0]!r}?)" if near else ""
