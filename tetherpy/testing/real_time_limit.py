"""A timeout in real time, which also works while the test clock is stopped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager


@asynccontextmanager
async def limit_real_time(seconds: float, on_late: Callable[[], object]) -> AsyncGenerator[None]:
    """Call ``on_late`` and cancel the block if it takes longer; execution continues after the block."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    waiting, late = True, False

    def give_up() -> None:
        nonlocal late
        if waiting:  # the timer may fire just after the end of the block
            late = True
            on_late()
            task.cancel()

    timer = threading.Timer(seconds, loop.call_soon_threadsafe, [give_up])
    timer.daemon = True
    timer.start()
    try:
        yield
    except asyncio.CancelledError:
        if not late:
            raise
        task.uncancel()
    finally:
        waiting = False
        timer.cancel()
