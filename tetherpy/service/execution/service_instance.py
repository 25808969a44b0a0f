"""``ServiceInstance``: what the initialization callback and the handlers are given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from tetherpy.database import Migration, SqlDatabase
from tetherpy.jobs import (
    Ack,
    BackgroundJob,
    Backoff,
    Completed,
    Cron,
    Every,
    JobArgumentError,
    JobEngine,
    NewJob,
    Progress,
    encode,
    open_database,
)

from ..errors import HandlerRegistrationError, OutsideJobError
from ..protocol import frames
from ..worker.periodic_jobs import CatchUp, PeriodicJob
from .job_run import JobRun
from .progress_reports import ProgressBoard
from .worker_context import WorkerContext

if TYPE_CHECKING:
    from reactivex import Observable

    from tetherpy.reactive import Override, ProviderContainer

T = TypeVar("T")

STOP_SELF_SECONDS = 30.0


@attrs.frozen(eq=False)
class JobServices:
    """Join one attempt with what its service needs to serve it."""

    run: JobRun
    engine: JobEngine
    progress: ProgressBoard


@attrs.frozen(eq=False)
class ServiceInstance:
    """Speak for the worker, and inside a handler for its job as well.

    The synchronous methods may be called in any thread, so a plain ``def`` handler has them too.
    """

    _context: WorkerContext
    _services: JobServices | None = None

    # --- while initializing -------------------------------------------------------------------

    async def enter(self, manager: AbstractAsyncContextManager[T]) -> T:
        """Enter a context manager that is left when the worker ends, last entered first."""
        return await self._context.stack.enter_async_context(manager)

    def open_database(self, *, migrations: Iterable[Migration] = ()) -> AbstractAsyncContextManager[SqlDatabase]:
        """Return the database that this worker serves, to be entered: ``await service.enter(service.open_database())``.

        ``migrations`` are the app's own; see ``tetherpy.jobs.open_database``. It has the service's ``pool_size``.
        """
        config = self._context.config
        return open_database(config.database, migrations=migrations, pool_size=config.pool_size)

    def set_background_db_connection(self, db: SqlDatabase) -> None:
        """Set the database that handlers are given; without it they get one of the service's own."""
        self._context.database = db

    def register_job_handler(
        self,
        key: str,
        handler: Callable[..., Any],
        *,
        retry: Backoff | None = None,
        timeout: timedelta | float | None = None,
    ) -> None:
        """Let ``handler(service, payload, db)`` do the jobs with this key, from now on.

        An ``async def`` runs in the loop, a plain ``def`` in a thread. The annotation of
        ``payload`` is what payloads are decoded to. ``timeout`` bounds an attempt of jobs that
        were enqueued without one. Raises ``HandlerRegistrationError`` for what could never be
        called, and for a key that has a handler; ``DurationError`` for a ``timeout`` that is no duration.
        """
        self._context.handlers.add(key, handler, retry, timeout)
        self._context.in_loop(self._context.on_registered)

    def register_periodic_job(
        self,
        name: str,
        *,
        job_key: str,
        cron: str | None = None,
        every: timedelta | float | None = None,
        time_zone: str = "UTC",
        payload: object = None,
        priority: int = 0,
        max_attempts: int = 3,
        queue: str = "default",
        timeout: timedelta | float | None = None,
        unique_key: str | None = None,
        overlap: bool = True,
        catch_up: CatchUp = "none",
    ) -> None:
        """Enqueue a job at every tick of a schedule, once however many workers there are.

        The schedule is a ``cron`` expression in a time zone (needs the extra ``tetherpy[cron]``) or
        a span, ``every`` (a ``timedelta`` or seconds). Two of one name are an error.

        With ``overlap=False`` a tick enqueues nothing while the job of an earlier tick is PENDING or
        RUNNING; with ``unique_key``, while any job with that key is. ``catch_up`` is for ticks that
        passed while no worker lived or the database was away: "none" leaves them out, "last" makes up
        for the last one. A tick that finds the database locked or away is tried again until it is stored.
        """
        if (cron is None) == (every is None):
            raise HandlerRegistrationError(name, "give it either cron or every")
        if name in self._context.periodic:
            raise HandlerRegistrationError(name, "there is a periodic job of this name already")
        if not overlap and unique_key is not None:
            raise HandlerRegistrationError(name, "give it either unique_key or overlap=False")
        encode(payload)
        schedule = Cron(cron, time_zone) if cron is not None else Every(0 if every is None else every)
        job = NewJob(
            job_key=job_key,
            payload=payload,
            priority=priority,
            max_attempts=max_attempts,
            queue=queue,
            timeout=timeout,
            unique_key=unique_key if overlap else f"periodic:{name}",
        )
        self._context.periodic[name] = PeriodicJob(name, schedule, job, catch_up)
        self._context.in_loop(self._context.on_registered)

    def override(self, *overrides: Override) -> None:
        """Apply overrides to every job's container from now on; a later one of a provider wins."""
        self._context.overrides.extend(overrides)

    # --- the worker ---------------------------------------------------------------------------

    def stop_self(self) -> None:
        """End the service as ``BackgroundService.stop`` does; all its workers, not this one alone."""
        self._context.supervisor_pipe.send(frames.Stop(STOP_SELF_SECONDS))

    def on(self, event: str) -> Observable[Any]:
        """Return a hot observable of what apps send as ``event``; every worker gets all of it."""
        return self._context.event_bus.on(event)

    async def invoke(self, event: str, data: object = None) -> None:
        """Send a message to every app process that listens; whoever does not now never gets it.

        Raises ``MessageError`` if ``data`` is no JSON or over 1 MiB.
        """
        await self._context.supervisor_pipe.send_event(frames.event(event, data))

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
        """Change the notification, pushed to every app; what is None stays as it is."""
        self._context.in_loop(self._context.notification.show, title, content)

    # --- the job ------------------------------------------------------------------------------

    @property
    def job(self) -> BackgroundJob:
        """Return the job as it was when it was claimed."""
        return self._of_job("job").run.claim.job

    @property
    def cancelled(self) -> bool:
        """Tell whether the job should end: cancelled, timed out, or the worker stops.

        An ``async def`` handler is also told by ``CancelledError`` at its next ``await``. What a
        handler returns after it was told True is not kept.
        """
        return self._of_job("cancelled").run.cancelled

    def report_progress(self, fraction: float | None = None, message: str | None = None) -> None:
        """Say how far the job is, 0 to 1, and what it does; pushed to all who watch it.

        May be called often: what follows quickly is stored together, the newest wins. Raises
        ``JobArgumentError`` for a fraction that is no number or a message that is no text.
        """
        services = self._of_job("report_progress")
        progress = Progress(services.run.claim, fraction, message)
        if progress.fraction is not None and not 0.0 <= progress.fraction <= 1.0:
            raise JobArgumentError("progress", progress.fraction, "it must be from 0 to 1")
        self._context.in_loop(services.progress.report, progress)

    async def complete(self, result: object = None, *, transaction: Any) -> None:
        """Complete the job in the handler's own transaction: its writes and this in one commit.

        So the effect happens exactly once, although the job may run more than once. ``transaction``
        must be of the service's database. Progress that was reported before is in the commit too.
        Raises ``ClaimLostError`` if the job was taken from this worker meanwhile; let it pass, so that
        the transaction is rolled back. What the handler returns afterwards is not kept.
        """
        services = self._of_job("complete")
        outcome = Completed(encode(result))
        # Stored later, by another connection, it would come after the end and be refused.
        progress = services.progress.newest(services.run.claim)
        await services.engine.acknowledge(Ack(services.run.claim, outcome), transaction, progress)
        services.run.completed = True

    def job_container(self, overrides: Iterable[Override] = ()) -> ProviderContainer:
        """Create a provider container for this job; it is disposed with the job at the latest.

        The worker's overrides apply, and those given here take precedence. The context managers that its providers
        enter are passed the error of the handler: a transaction is rolled back when the job fails, is cancelled,
        runs out of time or is released.
        """
        # Imported here: a worker whose jobs use no container does without the reactive core.
        from tetherpy.reactive import ProviderContainer

        run = self._of_job("job_container").run
        chosen = {override.origin: override for override in (*self._context.overrides, *overrides)}
        container = ProviderContainer(overrides=list(chosen.values()))
        run.on_end.append(container.aclose)
        return container

    def _of_job(self, what: str) -> JobServices:
        if self._services is None:
            raise OutsideJobError(what)
        return self._services
