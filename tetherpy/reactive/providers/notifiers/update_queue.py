"""A queue that runs the asynchronous updates of one notifier in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from ...lifecycle.context_variables import bound

T = TypeVar("T")


class _Turn:
    """A running update; tasks that it starts inherit it, and may outlive it."""

    __slots__ = ("is_over",)

    def __init__(self) -> None:
        self.is_over = False


_outer: Final[ContextVar[_Turn | None]] = ContextVar("outer_update", default=None)


class UpdateQueue:
    """Runs the updates of one notifier one after another, in the order of the calls.

    An update made inside another update does not wait: the two would wait for each other forever.
    """

    __slots__ = ("_lock", "_loop")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()

    async def run(self, update: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run an update after the earlier ones have ended."""
        outer = _outer.get()
        if outer is not None and not outer.is_over:
            return await update()
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            # A lock belongs to one loop; an update left unfinished by an earlier loop must not block this one.
            self._loop, self._lock = loop, asyncio.Lock()
        async with self._lock:
            turn = _Turn()
            with bound(_outer, turn):
                try:
                    return await update()
                finally:
                    turn.is_over = True
