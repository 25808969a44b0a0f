"""Waits that finish their work before they pass a cancellation on."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def finish(work: Awaitable[T]) -> T:
    """Wait until ``work`` has ended; then raise ``CancelledError`` if the waiting task was cancelled during the wait.

    If ``work`` fails, its error is raised instead, caused by the cancellation.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return task.result()
    if (failure := task.exception()) is not None:
        raise failure from cancelled
    raise cancelled
