"""The providers that the screens watch: those of an app, or new ones for a database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import attrs

from tetherpy.database import Address
from tetherpy.durable import ManagerSource, opened_manager
from tetherpy.jobs import (
    BackgroundJob,
    BackgroundJobManager,
    BackgroundJobStatus,
    JobAttempt,
    JobCounts,
    JobEngine,
    JobQuery,
    open_engine,
)
from tetherpy.reactive import AsyncValue, FutureProvider, Provider, ProviderListenable, Ref, StreamProvider
from tetherpy.service import BackgroundService, ServiceManifest, ServiceState

if TYPE_CHECKING:
    from reactivex import Observable


MOST_MATCHES: Final = 100
"""The maximum number of search results."""


def _opened(manager: ManagerSource) -> ProviderListenable[BackgroundJobManager]:
    return opened_manager("JobProviders.manager", manager)


@attrs.frozen
class JobProviders:
    """The providers that the job screens watch; an app has them in its ``providers`` package.

    ``manager`` is a Provider or a FutureProvider; the screens wait until it is open.
    ``startable`` says whether the service has an initialization callback, which workers need to start.
    """

    manager: ProviderListenable[BackgroundJobManager] = attrs.field(converter=_opened)
    counts: ProviderListenable[AsyncValue[JobCounts]]
    jobs_by_status: Callable[[BackgroundJobStatus], ProviderListenable[AsyncValue[list[BackgroundJob]]]]
    job: Callable[[int], StreamProvider[BackgroundJob | None]]
    service: ProviderListenable[BackgroundService]
    service_state: ProviderListenable[AsyncValue[ServiceState]]
    startable: bool = attrs.field(default=True, kw_only=True)
    attempts: Callable[[int], ProviderListenable[AsyncValue[list[JobAttempt]]]] = attrs.field(init=False)
    """The attempts of a job, read again when one begins or ends."""
    matching: Callable[[JobQuery], ProviderListenable[AsyncValue[list[BackgroundJob]]]] = attrs.field(init=False)
    """The jobs that match a query."""
    manifest: ProviderListenable[AsyncValue[ServiceManifest]] = attrs.field(init=False)
    """The handlers of the workers, loading until a worker has described them."""

    def __attrs_post_init__(self) -> None:
        manager, job, service = self.manager, self.job, self.service

        @FutureProvider.auto_dispose.family
        async def attempts(ref: Ref, job_id: int) -> list[JobAttempt]:
            ref.watch(job(job_id).select(lambda state: state.value and (state.value.attempts, state.value.status)))
            return await ref.watch(manager).get_attempts(job_id)

        @StreamProvider.auto_dispose.family
        def matching(ref: Ref, query: JobQuery) -> Observable[list[BackgroundJob]]:
            return ref.watch(manager).watch_jobs(query)

        @StreamProvider  # without auto-dispose: a form offers the handlers of workers that have ended
        def manifest(ref: Ref) -> Observable[ServiceManifest]:
            return ref.watch(service).manifest

        object.__setattr__(self, "manifest", manifest)
        object.__setattr__(self, "attempts", attempts)
        object.__setattr__(self, "matching", matching)

    def jobs(
        self, status: BackgroundJobStatus | str, *, text: str = "", meta: Mapping[str, str] | None = None
    ) -> ProviderListenable[AsyncValue[list[BackgroundJob]]]:
        """Return the newest jobs with a status, filtered by a search text and by meta if given (see ``JobQuery``)."""
        if not (text or meta):
            return self.jobs_by_status(BackgroundJobStatus(status))
        return self.matching(JobQuery(status=status, text=text or None, meta=meta, limit=MOST_MATCHES))


def providers_of(address: Address, service: Callable[[], BackgroundService], *, startable: bool = True) -> JobProviders:
    """Declare the providers for the jobs of one database, for an app without its own.

    Args:
        address: the path of an SQLite file or the URL of a PostgreSQL database.
        service: creates the handle to the workers; it is closed with the container.
        startable: whether the service has an initialization callback.
    """

    @FutureProvider
    async def engine(ref: Ref) -> JobEngine:
        return await ref.enter_async(open_engine(address))

    @Provider
    def manager(ref: Ref) -> BackgroundJobManager:
        return BackgroundJobManager(ref.watch(engine).require_value)

    @Provider
    def handle(ref: Ref) -> BackgroundService:
        made = service()
        ref.on_dispose(made.aclose)
        return made

    @StreamProvider
    def counts(ref: Ref) -> Observable[JobCounts]:
        return ref.watch(manager).watch_counts()

    @StreamProvider.auto_dispose.family
    def jobs_by_status(ref: Ref, status: BackgroundJobStatus) -> Observable[list[BackgroundJob]]:
        return ref.watch(manager).watch_jobs_by_status(status)

    @StreamProvider.auto_dispose.family
    def job(ref: Ref, job_id: int) -> Observable[BackgroundJob | None]:
        return ref.watch(manager).watch_job(job_id)

    @StreamProvider
    def service_state(ref: Ref) -> Observable[ServiceState]:
        return ref.watch(handle).state

    return JobProviders(
        manager=manager,
        counts=counts,
        jobs_by_status=jobs_by_status,
        job=job,
        service=handle,
        service_state=service_state,
        startable=startable,
    )
