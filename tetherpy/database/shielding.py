"""Waiting for what must not be left half-way, however often the waiting task is cancelled."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def finish(work: Awaitable[T]) -> T:
    """Wait until ``work`` has ended, then raise the cancellation that arrived meanwhile, if one did.

    An error of ``work`` comes before the cancellation, which is then its context.
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
