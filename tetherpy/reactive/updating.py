"""The order of the asynchronous updates of one notifier."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Final

from .bound import bound


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

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Wait for the earlier updates, and make the later ones wait until the end of the block."""
        outer = _outer.get()
        if outer is not None and not outer.is_over:
            yield
            return
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            # A lock belongs to one loop; an update that another loop has left unfinished must not block this one.
            self._loop, self._lock = loop, asyncio.Lock()
        async with self._lock:
            turn = _Turn()
            with bound(_outer, turn):
                try:
                    yield
                finally:
                    turn.is_over = True
