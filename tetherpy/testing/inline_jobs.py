"""Jobs inside a test: enqueued through the app's own providers, run in the test's loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, ParamSpec, TypeVar, Unpack, overload

import attrs

from tetherpy.database import Database
from tetherpy.durations import to_seconds
from tetherpy.jobs import (
    JOB_MIGRATIONS,
    Ack,
    BackgroundJobManager,
    Backoff,
    Enqueueable,
    EnqueueOptions,
    Failed,
    JobCounts,
    JobDefinition,
    JobId,
    JobQuery,
    SqliteJobEngine,
    read_jobs,
    utc_now,
)
from tetherpy.reactive import FutureProvider, Override, Provider
from tetherpy.service import InlineWorker, ServiceInstance, SyncServiceInstance

from .clock import Clock
from .draining import Draining
from .errors import EndlessJobsError, ForeignClockError, OtherLoopError, StuckJobsError, TestingArgumentError
from .idle_loop import IdleLoop
from .job_list import JobList
from .real_time_limit import limit_real_time
from .test_scope import Lifetime

P = TypeVar("P")
Q = ParamSpec("Q")
R = TypeVar("R")
T = TypeVar("T")

_logger = logging.getLogger("tetherpy.testing")


def _real_time_limit(value: timedelta | float) -> float:
    return to_seconds("real_time_limit", value)


@attrs.define(eq=False, repr=False)
class InlineJobs:
    """The jobs of one test, in a separate SQLite file; the value of the fixture ``jobs``.

    No job runs before ``drain``. ``path`` is the file, ``concurrency`` the maximum number of concurrent handlers (set
    it before the first ``drain``), ``real_time_limit`` the seconds of real time after which a ``drain`` gives up.
    """

    path: Path
    _lifetime: Lifetime
    _clock: Clock | None = None
    concurrency: int = attrs.field(default=1, kw_only=True)
    real_time_limit: float = attrs.field(default=10.0, converter=_real_time_limit, kw_only=True)
    _worker: InlineWorker | None = attrs.field(init=False, default=None)
    _idle: IdleLoop = attrs.field(init=False)
    _known: set[threading.Thread | int] = attrs.field(init=False, factory=lambda: set(threading.enumerate()))
    _opening: asyncio.Lock = attrs.field(init=False, factory=asyncio.Lock)
    _handlers: list[Callable[[ServiceInstance], None]] = attrs.field(init=False, factory=list[Any])
    _enqueued: dict[str, JobDefinition[Any, Any]] = attrs.field(init=False, factory=dict[str, Any])

    def __attrs_post_init__(self) -> None:
        self._idle = IdleLoop() if self._clock is None else self._clock.idle

    # -- what the test sets up ---------------------------------------------------------------------

    def register(
        self,
        job_key: str,
        handler: Callable[[ServiceInstance, Any, Any], Any] | Callable[[SyncServiceInstance, Any, Any], Any],
        *,
        retry: Backoff | None = None,
        timeout: timedelta | float | None = None,
    ) -> None:
        """Let ``handler(service, payload, db)`` do the jobs with this key; arguments as ``register_job_handler``."""

        def registration(service: ServiceInstance) -> None:
            service.register_job_handler(job_key, handler, retry=retry, timeout=timeout)

        self._register(registration)

    def register_jobs(self, *jobs: JobDefinition[Any, Any] | ModuleType) -> None:
        """Let the handlers of definitions do their jobs; arguments as ``ServiceInstance.register_jobs``.

        It is needed for jobs that the app enqueues: ``jobs.enqueue(definition, payload)`` brings its handler.
        """
        self._register(lambda service: service.register_jobs(*jobs))

    async def initialize(self, callback: str | Callable[[ServiceInstance], Awaitable[None] | None]) -> None:
        """Call the app's ``app_initialization_callback``: the function, or its name ``"module:function"``.

        Meanwhile the folder of ``path`` is the working directory, so that a relative path such as ``"app.db"``
        is a file of the test. What the callback enters is left when the test ends. Its periodic jobs are enqueued as
        the fixture ``clock`` passes their ticks; in a test without it they are not enqueued.
        """
        worker = await self._open()
        with contextlib.chdir(self.path.parent):
            await worker.initialize(callback)
        if self._clock is not None:
            worker.follow_schedules()
            if isinstance(ours := worker.context.database, Database):
                self._idle.wait_for(lambda: ours.busy)

    def overrides(
        self,
        *,
        path: Provider[Any] | FutureProvider[Any] | None = None,
        database: Provider[Any] | FutureProvider[Any] | None = None,
        manager: Provider[BackgroundJobManager] | FutureProvider[BackgroundJobManager] | None = None,
    ) -> list[Override]:
        """Return overrides that lead the app's own providers to the jobs of this test.

        ``path`` is the app's provider of the database path, ``database`` that of the open database, ``manager``
        that of the manager. With the fixture ``clock``, give ``manager``, so that both go by that clock. A ``Provider``
        of a database or manager needs a database that is open: await ``jobs.database()`` before it is read, or give a
        ``FutureProvider``.
        """
        overrides: list[Override] = []
        if path is not None:
            overrides.append(path.override_with(lambda ref: self.path))
        if database is not None:
            overrides.append(_override(database, self.database, self._opened))
        if isinstance(manager, Provider) and isinstance(database, FutureProvider):
            opened = database
            overrides.append(
                manager.override_with(lambda ref: BackgroundJobManager(self._engine(ref.watch(opened).require_value)))
            )
        elif manager is not None:
            if isinstance(manager, Provider) and database is None:
                raise TestingArgumentError(
                    "jobs.overrides(manager=...)",
                    manager,
                    "it needs database=... too, from which a manager is made; a FutureProvider does not",
                )
            overrides.append(
                _override(manager, self.manager, lambda: BackgroundJobManager(self._engine(self._opened())))
            )
        return overrides

    # -- what the app does -------------------------------------------------------------------------

    async def database(self) -> Database:
        """Return the open database of this test; it is closed when the test ends."""
        return (await self._open()).engine.db

    async def manager(self) -> BackgroundJobManager:
        """Return a manager of this test's jobs."""
        return BackgroundJobManager((await self._open()).engine)

    @overload
    async def enqueue(self, job: JobDefinition[P, R], /, payload: P, **options: Unpack[EnqueueOptions]) -> JobId[R]: ...
    @overload
    async def enqueue(
        self, job: JobDefinition[P | None, R], /, payload: None = None, **options: Unpack[EnqueueOptions]
    ) -> JobId[R]: ...
    @overload
    async def enqueue(self, job: Enqueueable[Q, R], /, *args: Q.args, **kwargs: Q.kwargs) -> JobId[R]: ...
    @overload
    async def enqueue(self, job_key: str, payload: object = None, **options: Unpack[EnqueueOptions]) -> JobId[Any]: ...
    async def enqueue(  # type: ignore[misc]  # pyright: ignore[reportInconsistentOverload] - of Enqueueable
        self, job_key: str | JobDefinition[Any, Any], payload: object = None, **options: Unpack[EnqueueOptions]
    ) -> JobId[Any]:
        """Enqueue a job and return its id; the arguments are those of ``BackgroundJobManager.enqueue``.

        ``drain`` runs the handler of a definition, unless the test has registered another one for its key.
        """
        if isinstance(job_key, JobDefinition) and job_key.function is not None:
            self._enqueued.setdefault(job_key.job_key, job_key)
        job: Any = job_key
        return await (await self.manager()).enqueue(job, payload, **options)

    @overload
    def enqueued(self, job: JobDefinition[P, R], /) -> JobList[P, R]: ...
    @overload
    def enqueued(self, job_key: str | None = None) -> JobList: ...
    def enqueued(self, job_key: str | JobDefinition[Any, Any] | None = None) -> JobList[Any, Any]:
        """Return the enqueued jobs, of one definition, of one key or of all, in their current state.

        Their payloads and results are decoded to the types of the definition, or are plain JSON.
        """
        definition = job_key if isinstance(job_key, JobDefinition) else None
        key = job_key.job_key if isinstance(job_key, JobDefinition) else job_key
        found = read_jobs(self.path, JobQuery(job_key=key, limit=None, order_by_creation="ASC"))
        return JobList(found, self._nothing(key), definition)

    # -- running -----------------------------------------------------------------------------------

    async def drain(self, *, limit: int = 1000, advance: bool = False) -> JobList:
        """Run jobs until none is due, and return the jobs that ran, in their current state.

        Jobs that become due or are enqueued during the call run too; jobs that are due later, such as a retry with
        backoff, stay PENDING. A failed handler does not fail the test: the error is on the job, its traceback in
        the captured log.

        With ``advance=True`` and the fixture ``clock`` no job stays PENDING because of its time. Whenever all that
        runs only waits for time, the clock moves to the next moment that something waits for: a sleep of a handler, a
        timeout, a delay or a retry of a job, a tick of a periodic job. It waits for threads and connections of
        handlers in real time.

        Raises:
            EndlessJobsError: more than ``limit`` attempts.
            TestingArgumentError: ``advance`` without the fixture ``clock``.
            StuckJobsError: handlers did not end within ``real_time_limit`` seconds of real time.
            ForeignClockError: with ``clock``, jobs were enqueued by another clock.
        """
        if advance and self._clock is None:
            raise TestingArgumentError("jobs.drain(advance=...)", advance, "it needs the fixture `clock` in the test")
        worker = await self._open()
        without_handler = self._enqueued.keys() - worker.context.handlers.keys
        worker.service.register_jobs(*(self._enqueued[key] for key in without_handler))
        ended: list[Ack] = []

        def enough() -> bool:
            return len(ended) > limit

        def settled(ack: Ack) -> None:
            ended.append(ack)
            _tell_of_failure(ack)
            if enough():
                worker.stop()

        stuck: list[frozenset[int]] = []
        async with limit_real_time(self.real_time_limit, lambda: stuck.append(worker.running)):
            draining = Draining(worker, settled, enough, self._idle)
            if self._clock is None or not advance:
                await draining.run_due()
            else:
                await draining.run_all(self._clock, self._known)
        if stuck:
            running = await worker.engine.get_many(stuck[0])
            raise StuckJobsError(
                self.real_time_limit, list(running.values()), time_stands_still=self._clock is not None and not advance
            )
        self._check_clocks()
        if enough():
            raise EndlessJobsError(limit, ended[-1].claim.job)
        ran = await worker.engine.get_many({ack.claim.id for ack in ended})
        empty = "" if ran else _why_none(await worker.engine.counts())
        return JobList([ran[key] for key in sorted(ran)], empty)

    def messages(self, event: str | None = None) -> list[Any]:
        """Return the data of messages that handlers sent with ``service.invoke``, of one event or of all."""
        sent = [] if self._worker is None else self._worker.messages
        return [data for name, data in sent if event in (None, name)]

    async def invoke(self, event: str, data: object = None) -> None:
        """Send a message to the worker, as the app does with ``BackgroundService.invoke``."""
        (await self._open()).context.event_bus.deliver(event, data)

    def __repr__(self) -> str:
        counts = Counter(str(job.status) for job in self.enqueued())
        found = ", ".join(f"{count} {status}" for status, count in counts.items()) or "none"
        return f"<jobs in {self.path}: {found}>"

    # -- internals ---------------------------------------------------------------------------------

    def _register(self, registration: Callable[[ServiceInstance], None]) -> None:
        if self._worker is None:
            self._handlers.append(registration)
        else:
            registration(self._worker.service)

    async def _open(self) -> InlineWorker:
        if self._lifetime.loop is not asyncio.get_running_loop():
            raise OtherLoopError
        async with self._opening:
            if self._worker is None:
                stack = self._lifetime.after_containers
                # Without the look every quarter of a second, of which a day that a test lets pass would have many.
                opening = Database.open(self.path, migrations=JOB_MIGRATIONS, safety_interval=None)
                before = self._sources()
                database = await stack.enter_async_context(opening)
                clock = utc_now if self._clock is None else self._clock.now
                worker = await stack.enter_async_context(
                    InlineWorker.open(database, clock=clock, concurrency=self.concurrency)
                )
                # From now on the loop watches the file that signals changes.
                stack.callback(worker.engine.on_change(lambda: None))
                self._known |= self._sources() - before
                self._idle.wait_for(lambda: database.busy)
                for registration in self._handlers:
                    registration(worker.service)
                self._worker = worker
        return self._worker

    def _sources(self) -> set[threading.Thread | int]:
        """Return the threads and the file descriptors that can wake the loop."""
        files = () if self._clock is None else self._clock.drive(asyncio.get_running_loop()).watched_files
        return {*threading.enumerate(), *files}

    def _opened(self) -> Database:
        if self._worker is None:
            raise TestingArgumentError(
                "jobs.overrides(...)",
                None,
                "the provider that it overrides was read before the database was open: await jobs.database() first, "
                "or declare a FutureProvider",
            )
        return self._worker.engine.db

    def _engine(self, database: Database) -> SqliteJobEngine:
        return SqliteJobEngine(database, clock=utc_now if self._clock is None else self._clock.now)

    def _check_clocks(self) -> None:
        if self._clock is not None:
            for job in self.enqueued():
                if job.created_at > self._clock.now():
                    raise ForeignClockError(job, self._clock.now())

    def _nothing(self, job_key: str | None) -> str:
        others = Counter(job.job_key for job in read_jobs(self.path, JobQuery(limit=None, order_by_creation="ASC")))
        if not others:
            return "nothing was enqueued"
        named = ", ".join(f"{count} x {key!r}" for key, count in others.items())
        return f"no {job_key!r} was enqueued, but {named}"


def _override(
    provider: Provider[T] | FutureProvider[T], opening: Callable[[], Awaitable[Any]], opened: Callable[[], Any]
) -> Override:
    if isinstance(provider, FutureProvider):
        return provider.override_with(lambda ref: opening())
    return provider.override_with(lambda ref: opened())


def _why_none(counts: JobCounts) -> str:
    if counts.pending:
        return f"no job was due, {counts.pending} PENDING for later"
    if counts.total:
        return "no job was due"
    return "nothing was enqueued here: an app needs jobs.overrides(manager=...) to enqueue in its tests"


def _tell_of_failure(ack: Ack) -> None:
    if isinstance(outcome := ack.outcome, Failed):
        job = ack.claim.job
        _logger.warning(
            "Attempt %d of job %d (%r) failed: %s",
            job.attempts,
            job.id,
            job.job_key,
            outcome.traceback or outcome.error,
            extra={"job_id": job.id},
        )
