"""``ServiceInstance``: the argument of the initialization callback and of handlers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

import attrs

from tetherpy.database import AppTransaction, Migration, Portal, SqlDatabase, Synchronous, sync_form
from tetherpy.jobs import (
    Ack,
    BackgroundJob,
    Backoff,
    Completed,
    Cron,
    Every,
    JobArgumentError,
    JobDefinition,
    JobEngine,
    NewJob,
    NewJobOptions,
    Progress,
    encode,
    open_database,
)

from ..errors import HandlerRegistrationError, OutsideJobError, OutsideLoopError
from ..protocol import frames
from ..worker.periodic_jobs import CatchUp, PeriodicJob, PeriodicJobOptions
from .handlers import definitions_in
from .job_run import JobRun
from .progress_reports import ProgressBoard
from .worker_context import WorkerContext

if TYPE_CHECKING:
    from tetherpy.observables import IterableObservable
    from tetherpy.reactive import Override, ProviderContainer

P = TypeVar("P")
T = TypeVar("T")

STOP_SELF_SECONDS = 30.0


@attrs.frozen(eq=False)
class JobServices:
    """A running attempt, and the parts of the worker that serve it."""

    run: JobRun
    engine: JobEngine
    progress: ProgressBoard


@attrs.frozen(eq=False)
class ServiceBase:
    """The methods that ``ServiceInstance`` and ``SyncServiceInstance`` have in common; they work in any thread."""

    _context: WorkerContext
    _services: JobServices | None = None

    # --- while initializing -------------------------------------------------------------------

    def set_background_db_connection(self, db: SqlDatabase) -> None:
        """Set the database that is passed to handlers; without this call the worker opens one."""
        self._context.database = db

    def register_job_handler(
        self,
        job_key: str,
        handler: Callable[[ServiceInstance, Any, Any], Any] | Callable[[SyncServiceInstance, Any, Any], Any],
        *,
        retry: Backoff | None = None,
        timeout: timedelta | float | None = None,
    ) -> None:
        """Register ``handler(service, payload, db)`` for the jobs with this key.

        An ``async def`` runs in the loop; a plain ``def`` runs in a thread, with a ``SyncServiceInstance`` and a
        ``SyncDatabase``. Payloads are decoded to the type that
        annotates ``payload``. ``timeout`` bounds an attempt of jobs that were enqueued without one. Raises
        ``HandlerRegistrationError`` for a function that cannot be called this way and for a key that has a handler,
        ``DurationError`` for a ``timeout`` that is not a valid duration.
        """
        self._context.handlers.add(job_key, handler, retry, timeout)
        self._context.in_loop(self._context.on_registered)

    def register_jobs(self, *jobs: JobDefinition[Any, Any] | ModuleType) -> None:
        """Register the handlers of job definitions; of a module, those of every definition in it.

        Raises ``HandlerRegistrationError`` as ``register_job_handler`` does, also for a definition without a handler
        and for a module without definitions.
        """
        for definition in definitions_in(jobs):
            self._context.handlers.add_definition(definition)
        self._context.in_loop(self._context.on_registered)

    @overload
    def register_periodic_job(
        self, name: str, job_key: JobDefinition[P, Any], payload: P, **options: Unpack[PeriodicJobOptions]
    ) -> None: ...
    @overload
    def register_periodic_job(
        self,
        name: str,
        job_key: JobDefinition[P | None, Any],
        payload: None = None,
        **options: Unpack[PeriodicJobOptions],
    ) -> None: ...
    @overload
    def register_periodic_job(
        self, name: str, job_key: str, payload: object = None, **options: Unpack[PeriodicJobOptions]
    ) -> None: ...
    def register_periodic_job(
        self,
        name: str,
        job_key: str | JobDefinition[Any, Any],
        payload: object = None,
        *,
        cron: str | None = None,
        every: timedelta | float | None = None,
        time_zone: str = "UTC",
        overlap: bool = True,
        catch_up: CatchUp = "none",
        **options: Unpack[NewJobOptions],
    ) -> None:
        """Enqueue a job of a definition, or of a key, at every tick of a schedule, once for all workers.

        The schedule is a ``cron`` expression in a time zone (needs the extra ``cron``) or
        an interval, ``every`` (a ``timedelta`` or seconds). Names are unique. The other options are those of ``NewJob``
        without ``run_at``; they override those of the definition. The handler of the definition, if it has one, is
        registered too.

        With ``overlap=False`` a tick enqueues nothing while the job of an earlier tick is PENDING or
        RUNNING; with ``unique_key``, while any job with that key is. ``catch_up`` is for ticks that were
        missed while no worker ran or the database was unavailable: "none" skips them, "last" enqueues the
        last one. A tick that finds the database locked or unavailable is tried again until it is stored.
        """
        if (cron is None) == (every is None):
            raise HandlerRegistrationError(name, "pass either cron or every")
        if name in self._context.periodic:
            raise HandlerRegistrationError(name, "a periodic job with this name exists already")
        encode(payload)
        schedule = Cron(cron, time_zone) if cron is not None else Every(0 if every is None else every)
        if isinstance(job_key, JobDefinition):
            job: NewJob[Any] = job_key.new(payload, **options)
        else:
            job = NewJob(job_key=job_key, payload=payload, **options)
        if job.run_at is not None:
            raise HandlerRegistrationError(name, "its schedule says when its jobs run; leave out run_at")
        if not overlap:
            if job.unique_key is not None:
                raise HandlerRegistrationError(name, "pass either unique_key or overlap=False")
            job = attrs.evolve(job, unique_key=f"periodic:{name}")
        if isinstance(job_key, JobDefinition) and job_key.function is not None:
            self._context.handlers.add_definition(job_key)
        self._context.periodic[name] = PeriodicJob(name, schedule, job, catch_up)
        self._context.in_loop(self._context.on_registered)

    def override(self, *overrides: Override) -> None:
        """Apply overrides to the container of every job from now on; a later override of a provider wins."""
        self._context.overrides.extend(overrides)

    # --- the worker ---------------------------------------------------------------------------

    def stop_self(self) -> None:
        """Stop the service with all its workers, as ``BackgroundService.stop`` does."""
        self._context.supervisor_pipe.send(frames.Stop(STOP_SELF_SECONDS))

    def on(self, event: str) -> IterableObservable[Any]:
        """Return a hot observable of the messages that apps send as ``event``; every worker receives all."""
        return self._context.event_bus.on(event)

    def set_as_foreground_service(self) -> None:
        """Show the service's notification."""
        self._context.in_loop(lambda: self._context.notification.move(foreground=True))

    def set_as_background_service(self) -> None:
        """Work without showing a notification."""
        self._context.in_loop(lambda: self._context.notification.move(foreground=False))

    def is_foreground_service(self) -> bool:
        """Tell whether the notification is shown; it is until ``set_as_background_service``."""
        return self._context.notification.foreground

    def set_foreground_notification_info(self, title: str | None = None, content: str | None = None) -> None:
        """Change the notification in every app; None keeps a value."""
        self._context.in_loop(self._context.notification.show, title, content)

    # --- the job ------------------------------------------------------------------------------

    @property
    def job(self) -> BackgroundJob:
        """Return the job as it was when it was claimed."""
        return self._of_job("job").run.claim.job

    @property
    def cancelled(self) -> bool:
        """Tell whether the job should end: it is cancelled, it timed out, or the worker stops.

        In an ``async def`` handler the next ``await`` also raises ``CancelledError``. After this returned True, the
        handler's result is ignored.
        """
        return self._of_job("cancelled").run.cancelled

    def report_progress(self, fraction: float | None = None, message: str | None = None) -> None:
        """Set the progress of the job, a fraction from 0 to 1 and a message; all who watch the job receive it.

        May be called often: calls in quick succession are stored once, with the newest values. Raises
        ``JobArgumentError`` if the fraction is not a number or the message is not text.
        """
        services = self._of_job("report_progress")
        progress = Progress(services.run.claim, fraction, message)
        if progress.fraction is not None and not 0.0 <= progress.fraction <= 1.0:
            raise JobArgumentError("progress", progress.fraction, "it must be from 0 to 1")
        self._context.in_loop(services.progress.report, progress)

    @property
    def container(self) -> ProviderContainer:
        """Return the provider container of this worker, for what its jobs share: HTTP clients, connection pools.

        It is created at the first use, with the overrides of that time, and closed at the end of the worker, also when
        it is stopped by a signal. It can be used only in the worker's event loop, so not in a handler in a thread.
        """
        if not self._context.is_in_loop:
            raise OutsideLoopError
        if self._context.container is None:
            # Imported here: a worker whose jobs use no container does not need the reactive core.
            from tetherpy.reactive import ProviderContainer

            chosen = {override.origin: override for override in self._context.overrides}
            container = ProviderContainer(overrides=list(chosen.values()), scope="worker")
            self._context.container = container
            self._context.stack.push_async_callback(container.aclose)
        return self._context.container

    def job_container(self, overrides: Iterable[Override] = (), *, scope: str = "job") -> ProviderContainer:
        """Create a provider container for this job, a child of ``container``; it is disposed at the end of the job.

        Providers with the scope "worker", and values that ``container`` holds already, are shared with the job, unless
        they depend on an override given here. All others belong to the job, and so do providers with this ``scope``. In
        a handler in a thread, which cannot use the worker's container, all values belong to the job.

        The worker's overrides apply; the ones passed here take precedence. Context managers that its providers enter
        are exited with the error of the handler: a transaction is rolled back when the job fails, is cancelled,
        times out or is released.
        """
        run = self._of_job("job_container").run
        chosen = {override.origin: override for override in (*self._context.overrides, *overrides)}
        if self._context.is_in_loop:
            parent = self.container
            known = {} if parent.overrides is None else parent.overrides.by_origin
            own = [override for override in chosen.values() if known.get(override.origin) is not override]
            container = parent.child(scope=scope, overrides=own, separate=True)
            run.on_end.append(container.aclose)
        else:
            from tetherpy.reactive import ProviderContainer

            container = ProviderContainer(overrides=list(chosen.values()), scope=scope)
            run.on_thread_end.append(lambda error: container.__exit__(None, error, None))
        return container

    def _of_job(self, what: str) -> JobServices:
        if self._services is None:
            raise OutsideJobError(what)
        return self._services


@attrs.frozen(eq=False)
class ServiceInstance(ServiceBase):
    """The interface of the worker; inside an ``async def`` handler, also that of its job.

    The methods without ``await`` may be called in any thread.
    """

    # --- while initializing -------------------------------------------------------------------

    async def enter(self, manager: AbstractAsyncContextManager[T]) -> T:
        """Enter a context manager; the worker exits them in reverse order when it ends."""
        return await self._context.stack.enter_async_context(manager)

    def open_database(self, *, migrations: Iterable[Migration] = ()) -> AbstractAsyncContextManager[SqlDatabase]:
        """Return this worker's database, to enter: ``await service.enter(service.open_database())``.

        ``migrations`` are those of the app; see ``tetherpy.jobs.open_database``. ``pool_size`` is that of the service.
        """
        config = self._context.config
        return open_database(config.database, migrations=migrations, pool_size=config.pool_size)

    # --- the worker ---------------------------------------------------------------------------

    async def invoke(self, event: str, data: object = None) -> None:
        """Send a message to every app process that listens now; it is not stored for others.

        Raises ``MessageError`` if ``data`` is not JSON or exceeds 1 MiB.
        """
        await self._context.supervisor_pipe.send_event(frames.event(event, data))

    # --- the job ------------------------------------------------------------------------------

    async def complete(self, result: object = None, *, transaction: AppTransaction) -> None:
        """Complete the job in the handler's transaction: its writes and the completion are one commit.

        So the effect happens exactly once, although the job may run more than once. ``transaction`` is a transaction
        of the service's database, as in ``enqueue``. Progress that was reported before is part of the commit.
        Raises ``ClaimLostError`` if the job was rescued from this worker; do not catch it, so that
        the transaction is rolled back. The return value of the handler is ignored.
        """
        services = self._of_job("complete")
        outcome = Completed(encode(result))
        # Stored later by another connection, it would arrive after the end of the job and be rejected.
        progress = services.progress.newest(services.run.claim)
        ack = Ack(services.run.claim, outcome, services.run.log.text)
        await services.engine.acknowledge(ack, transaction, progress)
        services.run.completed = True


@attrs.frozen(eq=False)
class SyncServiceInstance(ServiceBase, Synchronous[ServiceInstance]):
    """The interface of the worker and of its job inside a plain ``def`` handler, which runs in a thread."""

    _portal: Portal = attrs.field(kw_only=True, alias="portal")

    def in_loop(self) -> tuple[Portal, ServiceInstance]:
        """Return the asynchronous interface, and the portal to its loop."""
        return self._portal, ServiceInstance(self._context, self._services)

    invoke = sync_form(ServiceInstance.invoke)
    complete = sync_form(ServiceInstance.complete)
