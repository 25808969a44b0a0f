"""Wait for an event with a bound."""

from __future__ import annotations

import asyncio


async def wait_for_event(event: asyncio.Event, seconds: float | None) -> bool:
    """Wait until an event is set, for ``seconds`` at most (None: without a bound); tell whether it is set."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return event.is_set()
