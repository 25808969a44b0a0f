"""Listens for changes while that is of use: not while every look finds more work than there are slots."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import attrs

BUSY_STREAK = 50
"""Looks in a row that found work for every slot, before changes are no longer listened to."""
REST_SECONDS = 0.01
"""After this long without a look, changes are listened to again."""


@attrs.define(eq=False)
class ChangeGate:
    """Subscribe to changes except in a busy streak, when each commit of one's own would be news.

    A worker with a backlog learns of new jobs by its next claim anyway; to be told of them costs it
    a quarter of its speed with one slot. Whatever was missed is made up for by one call of
    ``on_change`` when the streak ends, so a missed change is late by ``REST_SECONDS`` at most.
    """

    subscribe: Callable[[Callable[[], None]], Callable[[], None]]
    on_change: Callable[[], None]
    _unsubscribe: Callable[[], None] | None = attrs.field(init=False, default=None)
    _streak: int = attrs.field(init=False, default=0)
    _closed: bool = attrs.field(init=False, default=False)
    _last_look: float = attrs.field(init=False, default=0.0)

    def listen(self) -> None:
        """Be told of changes from now on."""
        self._streak = 0
        if self._unsubscribe is None and not self._closed:
            self._unsubscribe = self.subscribe(self.on_change)
            self.on_change()

    def looked(self, *, all_busy: bool) -> None:
        """Note that the table was looked at, and whether that found work for every free slot."""
        if not all_busy:
            self.listen()
            return
        self._streak += 1
        loop = asyncio.get_running_loop()
        self._last_look = loop.time()
        if self._streak >= BUSY_STREAK and self._unsubscribe is not None:
            self._ignore()
            loop.call_later(REST_SECONDS, self._look_up)

    def close(self) -> None:
        """Be told no more, whatever is looked at."""
        self._closed = True
        self._ignore()

    def _ignore(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _look_up(self) -> None:
        if self._unsubscribe is not None:
            return
        loop = asyncio.get_running_loop()
        if loop.time() - self._last_look >= REST_SECONDS:
            self.listen()
        else:
            loop.call_later(REST_SECONDS, self._look_up)
