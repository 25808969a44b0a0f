"""Notifications for completed and failed jobs and for a stopped service, grouped and rate limited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Final

import attrs

from tetherpy.durations import to_seconds
from tetherpy.errors import TetherError
from tetherpy.jobs import BackgroundJob, BackgroundJobStatus, JobCounts
from tetherpy.reactive import ProviderContainer
from tetherpy.service import ServiceState

from ..job_providers import JobProviders
from ..watcher import Watcher
from .sink import Notification, NotificationSink

INTERVAL_SECONDS: Final = 5.0
"""The default minimum interval between notifications."""
LOOKED_THROUGH: Final = 100
"""How many of the newest jobs are searched for the one that has just finished."""


def _interval(value: timedelta | float) -> float:
    return to_seconds("interval", value)


@attrs.define(eq=False)
class JobNotifications:
    """Notifies a sink when jobs complete or fail, and when the service stops.

    Jobs that finish within ``interval`` (seconds or timedelta) are grouped: one notification for completed and one
    for failed jobs. A single job is named.
    """

    container: ProviderContainer
    providers: JobProviders
    sink: NotificationSink
    interval: float = attrs.field(default=INTERVAL_SECONDS, converter=_interval, kw_only=True)
    sleep: Callable[[float], Awaitable[object]] = attrs.field(default=asyncio.sleep, kw_only=True)

    async def run(self) -> None:
        """Send notifications for changes from now on, until cancelled."""
        changed = asyncio.Event()
        counts: JobCounts | None = None
        service: ServiceState | None = None
        with Watcher(self.container, changed.set) as watcher:
            while True:
                changed.clear()
                with watcher.build():
                    counts_now = watcher.watch(self.providers.counts).value
                    service_now = watcher.watch(self.providers.service_state).value
                news = [item async for item in self._news(counts, counts_now, service, service_now)]
                counts, service = counts_now or counts, service_now or service
                for notification in news:
                    await self.sink.show(notification)
                if news:
                    await self.sleep(self.interval)
                await changed.wait()

    async def _news(
        self,
        before: JobCounts | None,
        after: JobCounts | None,
        service_before: ServiceState | None,
        service_after: ServiceState | None,
    ) -> AsyncIterator[Notification]:
        if before is not None and after is not None:
            if (done := after.completed - before.completed) > 0:
                job = await self._latest(BackgroundJobStatus.COMPLETED) if done == 1 else None
                yield _done(job) if job else Notification(f"{_jobs(done)} done")
            if (failed := after.failed - before.failed) > 0:
                job = await self._latest(BackgroundJobStatus.FAILED) if failed == 1 else None
                yield _failed(job) if job else Notification(f"{_jobs(failed)} failed", urgent=True)
        if service_before and service_after and service_before.running and not service_after.running:
            yield Notification("The background service has stopped", service_before.notification_title)

    async def _latest(self, status: BackgroundJobStatus) -> BackgroundJob | None:
        manager = self.container.read(self.providers.manager)
        try:
            jobs = await manager.get_jobs_by_status(status, limit=LOOKED_THROUGH)
        except TetherError:
            return None  # the notification does not name the job
        return max(jobs, key=lambda job: job.finished_at or job.updated_at, default=None)


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count:,} jobs"


def _done(job: BackgroundJob) -> Notification:
    return Notification(f"Done: {job.job_key} #{job.id}", job.result_json or "")


def _failed(job: BackgroundJob) -> Notification:
    return Notification(f"Failed: {job.job_key} #{job.id}", job.last_error or "", urgent=True)
