"""The change gate: unsubscribes from change notifications while the worker has a backlog."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import attrs

BUSY_STREAK = 50
"""Consecutive fetches with work for every slot, after which the worker unsubscribes."""
REST_SECONDS = 0.01
"""The worker subscribes again after this long without a fetch."""


@attrs.define(eq=False)
class ChangeGate:
    """Subscribe to changes, except while the worker has a backlog: each of its commits would notify it.

    A worker with a backlog finds new jobs with its next fetch anyway, and notifications cost it a quarter of its
    speed with one slot. When it subscribes again, one call of ``on_change`` replaces missed ones. So a change is
    late by ``REST_SECONDS`` at most.
    """

    subscribe: Callable[[Callable[[], None]], Callable[[], None]]
    on_change: Callable[[], None]
    _unsubscribe: Callable[[], None] | None = attrs.field(init=False, default=None)
    _streak: int = attrs.field(init=False, default=0)
    _closed: bool = attrs.field(init=False, default=False)
    _last_fetch: float = attrs.field(init=False, default=0.0)

    def listen(self) -> None:
        """Subscribe to changes, unless subscribed."""
        self._streak = 0
        if self._unsubscribe is None and not self._closed:
            self._unsubscribe = self.subscribe(self.on_change)
            self.on_change()

    def on_fetched(self, *, all_busy: bool) -> None:
        """Record a fetch, and whether it found work for every free slot."""
        if not all_busy:
            self.listen()
            return
        self._streak += 1
        loop = asyncio.get_running_loop()
        self._last_fetch = loop.time()
        if self._streak >= BUSY_STREAK and self._unsubscribe is not None:
            self._ignore()
            loop.call_later(REST_SECONDS, self._listen_if_idle)

    def close(self) -> None:
        """Unsubscribe for good."""
        self._closed = True
        self._ignore()

    def _ignore(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _listen_if_idle(self) -> None:
        if self._unsubscribe is not None:
            return
        loop = asyncio.get_running_loop()
        if loop.time() - self._last_fetch >= REST_SECONDS:
            self.listen()
        else:
            loop.call_later(REST_SECONDS, self._listen_if_idle)
