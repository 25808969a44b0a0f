"""Hears which running jobs are asked to stop."""

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
    """Ask for requests after changes to jobs, at most once every ``interval`` seconds.

    With nothing running there is nothing to cancel, and nothing is asked. A change that is heard while claims are
    on their way may concern them: it is asked about again when they have begun.
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
        """Note that some job changed."""
        if self.is_claiming():
            self._changed_while_claiming = True
        if self.running():
            self._changed.set()

    def on_begun(self) -> None:
        """Note that claimed jobs have begun."""
        if self._changed_while_claiming:
            self._changed_while_claiming = False
            self._changed.set()

    async def run(self) -> None:
        """Pass on requests as they come."""
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
            # The heartbeat brings the same requests, later.
            _logger.exception("Cancellation requests could not be read")
