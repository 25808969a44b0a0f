"""``BackgroundService``: the app's handle to the workers of one database."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, Unpack, overload

import attrs

from tetherpy.database import SqlDatabase
from tetherpy.durations import to_seconds
from tetherpy.jobs import BackgroundJobManager, Enqueueable, EnqueueOptions, JobDefinition, JobId, open_database

from ..errors import NoWorkerProcessesError, ServiceAlreadyRunningError
from ..protocol import frames
from ..protocol.callback_name import label_of, name_of
from ..protocol.event_bus import EventBus
from ..protocol.locks import is_locked, living_signer_of
from ..protocol.manifest import ServiceManifest, observe_manifest
from ..protocol.platform_support import WORKER_PROCESSES
from ..protocol.private_descriptors import close_private, open_private_pipe
from ..protocol.service_files import ServiceFiles
from ..protocol.settings import DEFAULT_LEASE, DEFAULT_UNKNOWN_KEY_GRACE, LogFormat, LogLevel, WorkerConfig, one_of
from ..protocol.wait_bounds import START_SECONDS
from .service_link import ControlClient
from .service_state import ServiceState, StateBoard
from .starting import IfCodeChanged, IfRunning, Start, Starter
from .stopping import stop_group

if TYPE_CHECKING:
    from tetherpy.observables import IterableObservable

    from ..execution.service_instance import ServiceInstance
    from ..worker.local_worker import LocalWorker

P = TypeVar("P")
Q = ParamSpec("Q")
R = TypeVar("R")

STOP_TIMEOUT_SECONDS = 30.0


class BackgroundService:
    """Control the worker processes of one database from any process.

    ``async with`` starts the service and, when the block ends, stops the workers that it has started; workers that ran
    before continue. After ``start()`` without the block the workers are detached: they outlive this process. With the
    URL of a server, each machine has a separate service for the database, and all share the jobs.

    ``async with service.run_here()`` runs one worker in the event loop of this process instead. On a platform without
    ``fork`` or Unix sockets, such as Windows, ``async with`` and ``start()`` do that, and the worker ends with
    ``stop``, ``aclose`` or this process.

    Args:
        address: the path of an SQLite file or the URL of a PostgreSQL database.
        app_initialization_callback: ``"module:function"``, or a function that can be imported under its name; with
            ``run_here`` any function. Each worker calls it with a ``ServiceInstance``.
        initial_notification_title: the title of the notification until a worker changes it.
        initial_notification_content: the content of the notification until a worker changes it.
        concurrency: how many jobs one worker runs at the same time.
        processes: how many workers to start.
        detached: whether the workers outlive the block and this process. Attached workers end with the block, and
            release their jobs and end if this process dies. None: attached in a block, else detached.
        stop_timeout: how long running jobs may take at the end of the block; then they are released.
        retention: delete finished jobs that are older; None keeps them. Durations are a ``timedelta`` or seconds.
        queues: the queues to serve; None serves all.
        lease: the jobs of a worker without a heartbeat for this long are rescued.
        start_timeout: how long ``start`` waits for the workers.
        if_running: the reaction of ``start`` to a running service with other settings (callback, concurrency,
            processes, queues, retention, lease): raise ``ServiceDiffersError``, ``"attach"`` to it, or ``"restart"``
            it with these.
        if_code_changed: the reaction of ``start`` to workers that loaded files of the app before they were changed:
            ``"restart"`` them, ``"warn"`` in the log of the app, or ``"ignore"``. Running jobs have half of
            ``start_timeout`` to finish; then they are released. Workers of ``run_worker`` are never restarted: with
            ``"restart"`` too, a warning is logged.
        database: the open database of the app, for ``job``; None opens one when it is needed.
        pool_size: maximum number of connections to a server for the app's calls, in this process and in each worker.
        unknown_key_grace: a job whose key has no handler in any worker waits this long for one; then it is FAILED.
        log_level: the level of the workers' root logger, unless the callback configures ``logging``.
        log_format: ``"text"``, or ``"json"`` for one object per line.
        job_logs: whether to store what handlers log and print with each attempt.
        reload: for development: when a loaded file of the app changes, new workers start with the new code, and then
            the old ones finish their jobs and end. If the new code cannot start, the old workers continue.
    """

    def __init__(
        self,
        address: str | os.PathLike[str],
        app_initialization_callback: str | Callable[[ServiceInstance], object],
        *,
        initial_notification_title: str = "Background service",
        initial_notification_content: str = "",
        concurrency: int = 10,
        processes: int = 1,
        detached: bool | None = None,
        stop_timeout: timedelta | float = STOP_TIMEOUT_SECONDS,
        retention: timedelta | float | None = None,
        queues: tuple[str, ...] | None = None,
        lease: timedelta | float = DEFAULT_LEASE,
        start_timeout: timedelta | float = START_SECONDS,
        if_running: IfRunning = "error",
        if_code_changed: IfCodeChanged = "restart",
        database: SqlDatabase | None = None,
        pool_size: int = 10,
        unknown_key_grace: timedelta | float = DEFAULT_UNKNOWN_KEY_GRACE,
        log_level: LogLevel = "INFO",
        log_format: LogFormat = "text",
        job_logs: bool = True,
        reload: bool = False,
    ) -> None:
        self._files = ServiceFiles.of(address)
        self._callback = app_initialization_callback
        self._config = WorkerConfig(
            database=self._files.address,
            callback=label_of(app_initialization_callback),
            notification_title=initial_notification_title,
            notification_content=initial_notification_content,
            concurrency=concurrency,
            processes=processes,
            retention=retention,
            queues=queues,
            lease=lease,
            pool_size=pool_size,
            unknown_key_grace=unknown_key_grace,
            log_level=log_level,
            log_format=log_format,
            job_logs=job_logs,
            reload=reload,
        )
        self._detached = detached
        self._stop_timeout = to_seconds("stop_timeout", stop_timeout)
        self._started_in_block: int | None = None
        self._start_timeout = to_seconds("start_timeout", start_timeout)
        self._if_running: IfRunning = one_of("if_running", if_running, IfRunning)
        self._if_code_changed: IfCodeChanged = one_of("if_code_changed", if_code_changed, IfCodeChanged)
        self._database = database
        self._opened = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._app_pipe: int | None = None
        self._here: LocalWorker | None = None
        self._client = ControlClient(self._files, self._on_frame, lambda: self._show(ServiceState()))
        self._events = EventBus(self._client.hold, self._client.release)
        self._board = StateBoard(self._client.hold, self._client.release)

    async def start(self) -> None:
        """Start the workers and return when they are ready; attach if they are running.

        Several processes may start at the same time: one group of workers is started. A service that is stopping is
        waited for. Raises ``ServiceDiffersError`` if workers run with other settings (see ``if_running``).
        Raises ``WorkerStartError``, with the worker's traceback and output, if the callback raises, its name does not
        resolve, the worker dies, or it is not ready after ``start_timeout``. Its processes are then stopped. Raises
        ``CallbackNameError`` for a function that another process cannot import.
        """
        if WORKER_PROCESSES:
            await self._start(detached=self._detached is not False)
        else:
            await self._start_in_place_of_processes()

    @asynccontextmanager
    async def run_here(self) -> AsyncGenerator[Self]:
        """Run one worker in this event loop: for small services, notebooks, tests, platforms without ``fork``.

        The guarantees for jobs are those of worker processes: leases, fencing tokens, rescue, schedules, retention.
        What a process gives is missing: a handler that blocks the loop blocks the app and is not killed, a handler
        that crashes the interpreter ends the app, and a worker that ends with an error is not replaced. Only this
        object sends messages to the worker and sees its state. The process of the app is the ``pid`` of the worker;
        ``processes``, ``detached`` and ``if_running`` do not apply.

        At the end of the block running jobs have ``stop_timeout`` to finish; then they are released. A worker that ran
        before, in a process or elsewhere, continues and shares the jobs. Raises ``WorkerStartError`` as ``start``, and
        ``ServiceAlreadyRunningError`` if this object runs a worker here already.
        """
        if self._here is not None and self._here.is_running:
            raise ServiceAlreadyRunningError(self._files.name, os.getpid())
        await self._start_here()
        try:
            yield self
        finally:
            try:
                await self._stop_here(self._stop_timeout)
            finally:
                await self.aclose()

    async def _start_in_place_of_processes(self) -> None:
        if self._detached:
            raise NoWorkerProcessesError
        await self._start_here()

    async def _start_here(self) -> None:
        from ..worker.local_worker import LocalWorker  # here, because an app with worker processes does not need it

        if self._here is not None and self._here.is_running:
            return
        self._here = LocalWorker(self._config, self._files, self._callback, self._on_frame, self._database)
        try:
            await self._here.start(self._start_timeout)
        except BaseException:
            self._here = None
            self._show(ServiceState())
            raise

    async def _stop_here(self, seconds: float) -> None:
        here, self._here = self._here, None
        if here is not None:
            try:
                await here.stop(seconds)
            finally:
                self._show(ServiceState())

    async def _start(self, *, detached: bool) -> Start:
        name_of(self._callback)
        self._files.create()
        reading, writing = (None, None) if detached else open_private_pipe()
        config = attrs.evolve(
            self._config,
            sys_path=tuple(entry or os.getcwd() for entry in sys.path),
            python_path=os.environ.get("PYTHONPATH"),
        )
        starter = Starter(
            config, self._files, reading, self._if_running, self._if_code_changed, self._start_timeout / 2
        )
        try:
            started = await starter.start(self._start_timeout)
        except BaseException:
            _close(writing)
            raise
        finally:
            _close(reading)
        if started is Start.LAUNCHED:
            _close(self._app_pipe)
            self._app_pipe = writing
        else:
            _close(writing)
        self._client.nudge()
        return started

    async def is_running(self) -> bool:
        """Tell whether workers of this database are running; any process may have started them.

        A worker that ``run_here`` of another object runs does not count.
        """
        return (self._here is not None and self._here.is_running) or is_locked(self._files.group_lock)

    @overload
    async def job(self, job: JobDefinition[P, R], /, payload: P, **options: Unpack[EnqueueOptions]) -> JobId[R]: ...
    @overload
    async def job(
        self, job: JobDefinition[P | None, R], /, payload: None = None, **options: Unpack[EnqueueOptions]
    ) -> JobId[R]: ...
    @overload
    async def job(self, job: Enqueueable[Q, R], /, *args: Q.args, **kwargs: Q.kwargs) -> JobId[R]: ...
    @overload
    async def job(self, job_key: str, payload: object = None, **options: Unpack[EnqueueOptions]) -> JobId[Any]: ...
    async def job(  # type: ignore[misc]  # pyright: ignore[reportInconsistentOverload] - of Enqueueable
        self, job_key: str | JobDefinition[Any, Any], payload: object = None, **options: Unpack[EnqueueOptions]
    ) -> JobId[Any]:
        """Enqueue a job and return its id; durable when this returns, whether workers run or not.

        The parameters are those of ``BackgroundJobManager.enqueue``.
        """
        job: Any = job_key
        return await (await self._manager()).enqueue(job, payload, **options)

    async def stop(self, timeout: timedelta | float = STOP_TIMEOUT_SECONDS) -> None:  # noqa: ASYNC109 - bounds the jobs, not this call
        """Stop the workers, even if another process started them, and return when they have ended.

        They finish their running jobs. Jobs that still run after ``timeout`` seconds are released: they are PENDING
        again and the attempt does not count. Without workers this does nothing. Raises ``WorkerStopError`` if
        they do not end.
        """
        seconds = to_seconds("timeout", timeout)
        await self._stop_here(seconds)
        if WORKER_PROCESSES:
            await stop_group(self._files, seconds)

    def on(self, event: str) -> IterableObservable[Any]:
        """Return a hot observable of the messages that workers send as ``event``, now and after a later start."""
        return self._events.on(event)

    async def invoke(self, event: str, data: object = None) -> None:
        """Send a message to every worker; return when the supervisor has read it, or it is queued behind others.

        It waits while workers have too many unread messages (backpressure). Raises ``ServiceNotRunningError`` if no
        service runs, ``MessageError`` if ``data`` is not JSON, is nested deeper than 200 levels or exceeds 1 MiB, and
        ``ServiceStalledError`` if the message is not read within ten seconds.
        """
        frame = frames.event(event, data)
        if self._here is not None:
            self._here.deliver(frame)
        else:
            await self._client.send(frame)

    @property
    def state(self) -> IterableObservable[ServiceState]:
        """Return an observable of the service: its current state, then each change."""
        return self._board.observe()

    @property
    def manifest(self) -> IterableObservable[ServiceManifest]:
        """Return an observable of the workers' handlers and periodic jobs: when workers start, and after each change.

        It emits nothing while no workers run. A page uses it to offer handlers whose modules it does not import.
        """
        return observe_manifest(self.on, self.state, self.invoke)

    async def aclose(self) -> None:
        """Close the database and connections of this object; attached workers end."""
        await self._stop_here(self._stop_timeout)
        await self._opened.aclose()
        await self._client.flush()
        _close(self._app_pipe)
        self._app_pipe = None

    async def __aenter__(self) -> Self:
        if not WORKER_PROCESSES:
            await self._start_in_place_of_processes()
            return self
        detached = bool(self._detached)
        started = await self._start(detached=detached)
        if started is Start.LAUNCHED and not detached:
            self._started_in_block = living_signer_of(self._files.group_lock)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._stop_started()
        finally:
            await self.aclose()

    async def _stop_started(self) -> None:
        """Stop the workers that the block has started, unless they have ended and other ones run."""
        started, self._started_in_block = self._started_in_block, None
        if started is not None and living_signer_of(self._files.group_lock) == started:
            await self.stop(self._stop_timeout)

    async def _manager(self) -> BackgroundJobManager:
        async with self._opening:
            if self._database is None:
                database = await self._opened.enter_async_context(_open(self._files, self._config.pool_size))
                self._opened.callback(self._forget_database)
                self._database = database
            return BackgroundJobManager(self._database)

    def _forget_database(self) -> None:
        self._database = None

    def _on_frame(self, frame: frames.Frame) -> None:
        match frame:
            case frames.Status():
                self._show(ServiceState.of(frame))
            case frames.Event():
                self._events.deliver(frame.name, frames.data_of(frame))
            case _:
                pass

    def _show(self, state: ServiceState) -> None:
        """Show a state of the worker processes, unless a worker runs here."""
        self._board.show(state if self._here is None else ServiceState.of(self._here.status))


@asynccontextmanager
async def _open(files: ServiceFiles, pool_size: int) -> AsyncGenerator[SqlDatabase]:
    # An asynchronous generator, because asyncio.run() closes open ones: an app without aclose()
    # must not hang at its end, waiting for the threads of the database.
    async with open_database(files.address, pool_size=pool_size) as database:
        yield database


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        close_private(descriptor)
