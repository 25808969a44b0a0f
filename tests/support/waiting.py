"""Waits for events, each with a bound."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

T = TypeVar("T")

BOUND = 25.0
"""Seconds after which a wait fails."""


async def until(condition: Callable[[], T | Awaitable[T]], bound: float = BOUND) -> T:
    """Wait until a function or a coroutine function returns something true, and return it; fail after some seconds."""
    async with asyncio.timeout(bound):
        while True:
            result = condition()
            value = cast("T", await result if inspect.isawaitable(result) else result)
            if value:
                return value
            await asyncio.sleep(0.005)


async def turns(count: int = 1) -> None:
    """Run some turns of the event loop."""
    for _ in range(count):
        await asyncio.sleep(0)
