"""The data behind the pages, as providers: shared by all pages that show it, gone when none does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs

from tetherpy.jobs import (
    BackgroundJob,
    BackgroundJobManager,
    Clock,
    CronMissingError,
    JobAttempt,
    JobCounts,
    JobNotFoundError,
    JobQuery,
    JobTimeline,
    WorkerRecord,
    utc_now,
)
from tetherpy.reactive import FutureProvider, ProviderContainer, ProviderListenable, Ref, StreamProvider
from tetherpy.service import BackgroundService, PeriodicInfo, ServiceManifest, ServiceState

from ..refresh_rate import asked, paced

KEPT_SECONDS = 1.0
"""What is costly to ask for, and may be a second old, is kept this long for the stream that a page opens next."""
WORKERS_SECONDS = 5.0
"""Heartbeats are no change of a job: they are looked at this often."""
LONGEST_NAP = timedelta(minutes=1)

ATTEMPTS_SHOWN = 20
"""Of one job, the newest: a page is sent again whenever its job changes."""
BARS = 60
"""Parts into which charts divide their time."""


@attrs.frozen
class JobHistory:
    """Hold a job with its newest attempts, oldest first; ``left_out`` counts those before them."""

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
    """Hold a periodic job and its next tick; None where this process cannot tell it."""

    info: PeriodicInfo
    next_tick: datetime | None


@attrs.frozen(eq=False)
class PageProviders:
    """Declare the data of one app's jobs, given the providers of its manager and its service."""

    manager: FutureProvider[BackgroundJobManager]
    service: ProviderListenable[BackgroundService] | None
    counts: StreamProvider[JobCounts]
    jobs: Callable[[JobQuery], StreamProvider[list[BackgroundJob]]]
    story: Callable[[int], StreamProvider[JobHistory | None]]
    timeline: Callable[[timedelta], StreamProvider[JobTimeline]]
    workers: StreamProvider[list[WorkerRecord]]
    unhandled: StreamProvider[Mapping[str, int]]
    """The keys of jobs that wait for a handler, and how many wait."""
    state: StreamProvider[ServiceState]
    manifest: StreamProvider[ServiceManifest]
    plan: StreamProvider[tuple[Planned, ...]]
    clock: Clock
    startable: bool
    """Whether the service can be started from here."""

    def schema_of(self, container: ProviderContainer, job_key: str) -> dict[str, Any] | None:
        """Return the schema of a handler's payload, if workers have told of it."""
        known = container.read(self.manifest).value
        handlers = () if known is None else known.handlers
        return next((info.payload_schema for info in handlers if info.job_key == job_key), None)


def declare_sources(
    manager: ProviderListenable[BackgroundJobManager],
    service: ProviderListenable[BackgroundService] | None,
    clock: Clock = utc_now,
    *,
    startable: bool = True,
) -> PageProviders:
    """Declare everything that pages show of the jobs of a manager and, if there is one, its service."""

    @FutureProvider
    async def ready_manager(ref: Ref) -> BackgroundJobManager:
        return ref.watch(manager)

    @StreamProvider.auto_dispose
    def counts(ref: Ref) -> AsyncGenerator[JobCounts]:
        return paced(ref.watch(manager).watch_counts())

    @StreamProvider.auto_dispose.family
    def jobs(ref: Ref, query: JobQuery) -> AsyncGenerator[list[BackgroundJob]]:
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
        # Workers that come and go are told of by the service.
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
        # What workers that have ended could do is still worth offering.
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
