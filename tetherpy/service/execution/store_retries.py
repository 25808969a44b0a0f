"""Exponential backoff between attempts of a worker to write to the database."""

from __future__ import annotations

from collections.abc import Iterator

FIRST_RETRY_SECONDS = 0.05
LAST_RETRY_SECONDS = 5.0


def retry_pauses() -> Iterator[float]:
    """Yield the pauses between attempts, in seconds, each twice as long as the one before up to the last."""
    pause = FIRST_RETRY_SECONDS
    while True:
        yield pause
        pause = min(pause * 2, LAST_RETRY_SECONDS)
