"""The order of the asynchronous updates of one notifier."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from ...lifecycle.context_variables import bound

T = TypeVar("T")


class _Turn:
    """One update that runs; tasks that it starts see it too, also after its end."""

    __slots__ = ("is_over",)

    def __init__(self) -> None:
        self.is_over = False


_outer: Final[ContextVar[_Turn | None]] = ContextVar("outer_update", default=None)


class UpdateQueue:
    """Runs the updates of one notifier one after the other, in the order of the calls.

    An update that is made inside another update does not wait: two of them could wait for each other for ever.
    """

    __slots__ = ("_lock", "_loop")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()

    async def run(self, update: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run an update after the earlier ones have ended, and make the later ones wait for it."""
        outer = _outer.get()
        if outer is not None and not outer.is_over:
            return await update()
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            # A lock belongs to one loop; an update that another loop has left unfinished must not block this one.
            self._loop, self._lock = loop, asyncio.Lock()
        async with self._lock:
            turn = _Turn()
            with bound(_outer, turn):
                try:
                    return await update()
                finally:
                    turn.is_over = True
