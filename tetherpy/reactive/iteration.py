"""Iterating over a listenable's values; a slow consumer gets the latest only."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

from .errors import ProviderError
from .subscription import ProviderSubscription

T = TypeVar("T")


async def latest(subscribe: Callable[..., ProviderSubscription[T]], source: Any) -> AsyncGenerator[T]:
    """Yield the current value and each change until the subscription is closed.

    Args:
        subscribe: called with on_change and on_error, and on_close; calls on_change immediately.
        source: what is listened to, for the error.

    Raises:
        ProviderError: the provider is in error.
    """
    values: deque[T] = deque(maxlen=1)
    failures: deque[Exception] = deque(maxlen=1)
    changed = asyncio.Event()

    def on_change(_: T | None, value: T) -> None:
        values.append(value)
        changed.set()

    def on_error(error: Exception) -> None:
        failures.append(error)
        changed.set()

    with subscribe(on_change, on_error, on_close=changed.set) as subscription:
        while True:
            await changed.wait()
            changed.clear()
            if failures:
                raise ProviderError(source) from failures.pop()
            if values:
                yield values.pop()
            if subscription.closed:
                return
