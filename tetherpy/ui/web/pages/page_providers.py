"""The providers of the data on the pages; shared by all pages, and disposed when no page uses them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import attrs

from tetherpy.durable import ManagerSource, opened_manager
from tetherpy.jobs import (
    BackgroundJob,
    BackgroundJobManager,
    CronMissingError,
    JobAttempt,
    JobCounts,
    JobNotFoundError,
    JobPage,
    JobQuery,
    JobTimeline,
    WallClock,
    WorkerRecord,
    utc_now,
)
from tetherpy.reactive import FutureProvider, ProviderContainer, ProviderListenable, Ref, StreamProvider
from tetherpy.service import BackgroundService, HandlerInfo, PeriodicInfo, ServiceManifest, ServiceState

from ..refresh_rate import asked, paced

KEPT_SECONDS = 1.0
"""How long expensive results are cached between the first response of a page and its stream."""
WORKERS_SECONDS = 5.0
"""How often heartbeats are read: they are not announced as changes of jobs."""
LONGEST_NAP = timedelta(minutes=1)

ATTEMPTS_SHOWN = 20
"""The newest attempts of a job that its page shows: the page is sent again whenever the job changes."""
BARS = 60
"""Number of intervals in a chart."""


@attrs.frozen
class JobHistory:
    """A job with its newest attempts, oldest first; ``left_out`` counts the older ones."""

    job: BackgroundJob
    attempts: tuple[JobAttempt, ...]
    left_out: int = 0

    @classmethod
    def of(cls, job: BackgroundJob, attempts: Sequence[JobAttempt]) -> JobHistory:
        """Keep the newest ``ATTEMPTS_SHOWN`` of a job's attempts, given oldest first."""
        left_out = max(0, len(attempts) - ATTEMPTS_SHOWN)
        return cls(job, tuple(attempts[left_out:]), left_out)


@attrs.frozen
class Planned:
    """A periodic job and its next tick; None if this process cannot compute it."""

    info: PeriodicInfo
    next_tick: datetime | None


@attrs.frozen(eq=False)
class PageProviders:
    """The providers of the data of one app's jobs."""

    manager: FutureProvider[BackgroundJobManager]
    service: ProviderListenable[BackgroundService] | None
    counts: StreamProvider[JobCounts]
    jobs: Callable[[JobQuery], StreamProvider[JobPage]]
    story: Callable[[int], StreamProvider[JobHistory | None]]
    timeline: Callable[[timedelta], StreamProvider[JobTimeline]]
    workers: StreamProvider[list[WorkerRecord]]
    unhandled: StreamProvider[Mapping[str, int]]
    """The number of pending jobs for each key without a handler."""
    state: StreamProvider[ServiceState]
    manifest: StreamProvider[ServiceManifest]
    plan: StreamProvider[tuple[Planned, ...]]
    clock: WallClock
    startable: bool
    """Whether this process can start the service."""

    def handler(self, container: ProviderContainer, job_key: str) -> HandlerInfo:
        """Return the description of a handler as workers have reported it, or one without a schema."""
        return (container.read(self.manifest).value or ServiceManifest()).handler(job_key)


def declare_sources(
    source: ManagerSource,
    service: ProviderListenable[BackgroundService] | None,
    clock: WallClock = utc_now,
    *,
    startable: bool = True,
) -> PageProviders:
    """Declare the providers for a manager and, if there is one, its service."""
    manager = opened_manager("dashboard.manager", source)

    @FutureProvider
    async def ready_manager(ref: Ref) -> BackgroundJobManager:
        return ref.watch(manager)

    @StreamProvider.auto_dispose
    def counts(ref: Ref) -> AsyncGenerator[JobCounts]:
        return paced(ref.watch(manager).watch_counts())

    @StreamProvider.auto_dispose.family
    def jobs(ref: Ref, query: JobQuery) -> AsyncGenerator[JobPage]:
        store = ref.watch(manager).engine
        return asked(store, lambda: store.find(query))

    @StreamProvider.auto_dispose.family
    async def story(ref: Ref, job_id: int) -> AsyncGenerator[JobHistory | None]:
        known = ref.watch(manager)
        async for job in paced(known.watch_job(job_id)):
            try:
                yield None if job is None else JobHistory.of(job, await known.get_attempts(job_id))
            except JobNotFoundError:
                yield None

    @StreamProvider.auto_dispose.family
    def timeline(ref: Ref, span: timedelta) -> AsyncGenerator[JobTimeline]:
        ref.cache_for(KEPT_SECONDS)
        known = ref.watch(manager)
        bar = span.total_seconds() / BARS
        return asked(known.engine, lambda: known.get_timeline(clock() - span), rest=1.0, at_latest=bar)

    @StreamProvider.auto_dispose
    def workers(ref: Ref) -> AsyncGenerator[list[WorkerRecord]]:
        ref.cache_for(KEPT_SECONDS)
        # The service announces starts and ends of workers.
        ref.watch(state.select(lambda seen: seen.value and seen.value.workers))
        known = ref.watch(manager)
        return asked(known.engine, known.get_workers, rest=1.0, at_latest=WORKERS_SECONDS)

    @StreamProvider.auto_dispose
    def unhandled(ref: Ref) -> AsyncGenerator[Mapping[str, int]]:
        ref.cache_for(KEPT_SECONDS)
        known = ref.watch(manager)
        return asked(known.engine, known.engine.unhandled, rest=1.0, at_latest=WORKERS_SECONDS)

    @StreamProvider.auto_dispose
    async def state(ref: Ref) -> AsyncGenerator[ServiceState]:
        ref.cache_for(KEPT_SECONDS)
        if service is None:
            yield ServiceState()
            return
        async for seen in paced(ref.watch(service).state):
            yield seen

    @StreamProvider.auto_dispose
    async def manifest(ref: Ref) -> AsyncGenerator[ServiceManifest]:
        if service is None:
            yield ServiceManifest()
            return
        # Keep offering the handlers of workers that have ended.
        ref.keep_alive()
        async for described in paced(ref.watch(service).manifest):
            yield described

    @StreamProvider.auto_dispose
    async def plan(ref: Ref) -> AsyncGenerator[tuple[Planned, ...]]:
        described = ref.watch(manifest).require_value
        while True:
            now = clock()
            planned = tuple(Planned(info, _next_tick(info, now)) for info in described.periodic)
            yield planned
            ticks = [each.next_tick - now for each in planned if each.next_tick is not None]
            await asyncio.sleep(min([LONGEST_NAP, *ticks]).total_seconds())

    return PageProviders(
        ready_manager,
        service,
        counts,
        jobs,
        story,
        timeline,
        workers,
        unhandled,
        state,
        manifest,
        plan,
        clock,
        startable,
    )


def _next_tick(info: PeriodicInfo, now: datetime) -> datetime | None:
    try:
        return info.next_after(now)
    except CronMissingError:
        return None
