"""Progress reports of running jobs, stored at a limited rate however often handlers report."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

import attrs

from tetherpy.jobs import Claim, JobEngine, Progress

INTERVAL_SECONDS = 0.05

_logger = logging.getLogger("tetherpy.service")


@attrs.define(eq=False)
class ProgressBoard:
    """Keep the newest progress of each job and store it at most every ``interval`` seconds."""

    engine: JobEngine
    interval: float = INTERVAL_SECONDS
    _pending: dict[int, Progress] = attrs.field(init=False, factory=dict[int, Progress])
    _storing: dict[int, Progress] = attrs.field(init=False, factory=dict[int, Progress])
    _reported: asyncio.Event = attrs.field(init=False, factory=asyncio.Event)

    def report(self, progress: Progress) -> None:
        """Set the progress of a job; None keeps the previous fraction or message."""
        before = self._pending.get(progress.claim.id)
        self._pending[progress.claim.id] = progress if before is None else _merged(before, progress)
        self._reported.set()

    def take(self, claims: Iterable[Claim]) -> list[Progress]:
        """Remove and return the unstored progress of jobs that are about to be acknowledged."""
        taken = (self._pending.pop(claim.id, None) for claim in claims) if self._pending else ()
        return [progress for progress in taken if progress is not None]

    def newest(self, claim: Claim) -> Progress | None:
        """Return the latest progress of a job that may not be stored yet; None without any."""
        known = [known for known in (self._storing.get(claim.id), self._pending.get(claim.id)) if known is not None]
        mine = [progress for progress in known if progress.claim is claim]
        return _merged(mine[0], mine[-1]) if mine else None

    async def run(self) -> None:
        """Store reports until cancelled; the first one after an idle time at once."""
        while True:
            await self._reported.wait()
            self._reported.clear()
            self._storing, self._pending = self._pending, {}
            updates = list(self._storing.values())
            try:
                await self.engine.report_progress(updates)
            except Exception:
                # Progress is best effort: the job continues, and the next report replaces this one.
                _logger.exception("Progress of %d jobs could not be stored", len(updates))
            self._storing = {}
            await asyncio.sleep(self.interval)


def _merged(before: Progress, later: Progress) -> Progress:
    if before.claim is not later.claim:
        return later
    fraction = before.fraction if later.fraction is None else later.fraction
    message = before.message if later.message is None else later.message
    return Progress(later.claim, fraction, message, before.logs if later.logs is None else later.logs)
