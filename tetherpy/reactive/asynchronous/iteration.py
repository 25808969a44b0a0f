"""Iteration over pushed values, with backpressure: a slow consumer gets only the latest value."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import TypeVar

from tetherpy.observables import Listen

T = TypeVar("T")


async def latest(listen: Listen[T]) -> AsyncGenerator[T]:
    """Yield pushed values until the source completes; a newer value replaces one that was not consumed yet.

    Args:
        listen: called with on_next, on_error and on_completed when the iteration begins.

    Raises:
        Exception: the argument of on_error.
    """
    values: deque[T] = deque(maxlen=1)
    failures: deque[Exception] = deque(maxlen=1)
    ended = asyncio.Event()
    changed = asyncio.Event()

    def on_next(value: T) -> None:
        values.append(value)
        changed.set()

    def on_error(error: Exception) -> None:
        failures.append(error)
        changed.set()

    def on_completed() -> None:
        ended.set()
        changed.set()

    close = listen(on_next, on_error, on_completed)
    try:
        while True:
            await changed.wait()
            changed.clear()
            if failures:
                raise failures.pop()
            if values:
                yield values.pop()
            if ended.is_set():
                return
    finally:
        close()
