"""Run the jobs of a test until none is left, also those that wait for the test's clock."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Any, Final

import attrs

from tetherpy.jobs import Ack, BackgroundJobStatus, JobQuery, read_jobs
from tetherpy.service import InlineWorker

from .clock import Clock
from .idle_loop import IdleLoop
from .outside_work import OutsideWork

DELIVERY: Final = timedelta(seconds=0.1)
"""How long the streams of jobs may hold a change back: a provider that waits for it may enqueue the next job."""


@attrs.frozen
class _Pending:
    """The pending jobs: those that are due, each with its time, and when the next of the others is due."""

    due: AbstractSet[tuple[int, datetime]]
    next_due: datetime | None


@attrs.define(eq=False)
class Draining:
    """One ``drain``: reports outcomes to ``acknowledged`` and ends when ``enough()``, or when nothing is left."""

    worker: InlineWorker
    acknowledged: Callable[[Ack], None]
    enough: Callable[[], bool]
    idle: IdleLoop
    _changed: bool = attrs.field(init=False, default=False)

    async def run_due(self) -> None:
        """Run what is due, also jobs whose enqueue is in progress, as that of a ``JobProvider`` is."""
        tried: AbstractSet[tuple[int, datetime]] = frozenset()  # without a handler they stay due
        await self.idle.wait_in_drain()
        while (due := self._pending().due) - tried and not self.enough():
            await self.worker.drain(self.acknowledged)
            await self.idle.wait_in_drain()
            tried = due

    async def run_all(self, clock: Clock, known: AbstractSet[threading.Thread | int]) -> None:
        """Run all jobs; advance the clock whenever all that runs only waits for time.

        ``known`` is that of ``OutsideWork``.
        """
        outside = OutsideWork(clock.drive(asyncio.get_running_loop()), known)
        tried: AbstractSet[tuple[int, datetime]] = frozenset()
        ignore = self.worker.engine.on_change(self._on_change)
        try:
            with outside.counted():
                await clock.settle()
                while not self.enough():
                    self._changed = False
                    pending = self._pending()
                    if pending.due - tried:
                        await _advance_until_done(self.worker.drain(self.acknowledged), clock, outside)
                        tried = pending.due
                    else:
                        await self._advance(clock, outside, pending.next_due)
                        if pending.next_due is None and not self._changed:
                            return
                    await clock.settle()
        finally:
            ignore()

    async def _advance(self, clock: Clock, outside: OutsideWork, due: datetime | None) -> None:
        """Advance the clock until jobs have changed, or the next is due."""
        end = clock.now() + DELIVERY if due is None else due
        while clock.now() < end:
            if not (await outside.wait() or await clock.step(end)):
                break
            await clock.settle()
            if self._changed:
                return
        if due is not None:
            await clock.advance_to(due)

    def _on_change(self) -> None:
        self._changed = True

    def _pending(self) -> _Pending:
        engine = self.worker.engine
        jobs = read_jobs(engine.db.path, JobQuery(status=BackgroundJobStatus.PENDING, limit=None))
        now = engine.clock()
        later = [job.run_at for job in jobs if job.run_at > now]
        return _Pending({(job.id, job.run_at) for job in jobs if job.run_at <= now}, min(later, default=None))


async def _advance_until_done(work: Coroutine[Any, Any, None], clock: Clock, outside: OutsideWork) -> None:
    """Run a coroutine, and advance the clock whenever all that runs only waits for time."""
    task = asyncio.create_task(work)
    try:
        while True:
            await clock.settle()
            if task.done():
                break
            if not (await outside.wait() or await clock.step()):
                await outside.event()
        task.result()
    finally:
        task.cancel()
        await asyncio.wait([task])
