"""The watch for cancellation requests of running jobs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

import attrs

from tetherpy.jobs import JobEngine

INTERVAL_SECONDS = 0.02

_logger = logging.getLogger("tetherpy.service")


@attrs.define(eq=False)
class CancellationWatch:
    """Query the cancellation requests after changes of jobs, at most once every ``interval`` seconds.

    Without running jobs there is no query. A change during a fetch may concern the jobs that the fetch is about to
    claim, so the requests are queried again when those have begun.
    """

    engine: JobEngine
    worker_id: str
    running: Callable[[], frozenset[int]]
    cancel: Callable[[Iterable[int]], None]
    is_claiming: Callable[[], bool]
    interval: float = INTERVAL_SECONDS
    _changed: asyncio.Event = attrs.field(init=False, factory=asyncio.Event)

    _changed_while_claiming: bool = attrs.field(init=False, default=False)

    def on_change(self) -> None:
        """Record that jobs have changed."""
        if self.is_claiming():
            self._changed_while_claiming = True
        if self.running():
            self._changed.set()

    def on_begun(self) -> None:
        """Record that claimed jobs have begun."""
        if self._changed_while_claiming:
            self._changed_while_claiming = False
            self._changed.set()

    async def run(self) -> None:
        """Cancel jobs as they are requested, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self.running():
                await self._look()
            await asyncio.sleep(self.interval)

    async def _look(self) -> None:
        try:
            self.cancel(await self.engine.cancel_requested(self.worker_id))
        except Exception:
            # The next heartbeat returns the same requests.
            _logger.exception("Cancellation requests could not be read")
