"""Options that are given as KEY=VALUE, once or more often."""

from __future__ import annotations

from collections.abc import Sequence

import typer


def read_pairs(texts: Sequence[str]) -> dict[str, str] | None:
    """Return the pairs by key; None if there are none."""
    pairs: dict[str, str] = {}
    for text in texts:
        key, separator, value = text.partition("=")
        if not (key and separator):
            raise typer.BadParameter(f"{text!r} is not a pair. Write KEY=VALUE, such as tenant=7.")
        pairs[key] = value
    return pairs or None
