"""``BackgroundService``: the app's handle to the workers of one database."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, get_args

import attrs

from tetherpy.database import SqlDatabase
from tetherpy.durations import to_seconds
from tetherpy.jobs import BackgroundJobManager, open_database

from ..errors import ServiceArgumentError
from ..protocol import frames
from ..protocol.callback_name import name_of
from ..protocol.event_bus import EventBus
from ..protocol.locks import is_locked
from ..protocol.manifest import ServiceManifest, observe_manifest
from ..protocol.private_descriptors import close_private, open_private_pipe
from ..protocol.service_files import ServiceFiles
from ..protocol.settings import DEFAULT_LEASE, DEFAULT_UNKNOWN_KEY_GRACE, WorkerConfig
from .service_link import ControlClient
from .service_state import ServiceState, StateBoard
from .starting import IfRunning, Start, Starter
from .stopping import stop_group

if TYPE_CHECKING:
    from reactivex import Observable

START_TIMEOUT_SECONDS = 30.0


class BackgroundService:
    """Start, ask, tell and stop the worker processes of one database, from any process.

    ``app_initialization_callback`` is ``"module:function"``, or the function itself if it can be
    imported under its name; the worker calls it with a ``ServiceInstance``. Each of ``processes``
    workers runs up to ``concurrency`` jobs at once. Detached workers outlive the app until they
    are stopped; others hand back what they run and end when this process does. Finished jobs
    older than ``retention`` are deleted; None keeps them. ``queues`` None serves all. A worker that
    is silent for ``lease`` loses its jobs. Durations are a ``timedelta`` or seconds. ``if_running`` says what
    ``start`` does when a service with other settings (callback, concurrency, processes, queues, retention, lease)
    runs: raise ``ServiceDiffersError``, ``"attach"`` to it, or ``"restart"`` it with these.
    A job whose key no worker has a handler for waits for one; it is FAILED after ``unknown_key_grace``.
    ``database`` lets ``job`` use the app's open database instead of one of its own. ``pool_size`` is how many
    connections to a server the app's calls may use at once, in this process and in each worker.

    With the URL of a server each machine has its own service of the database, and this is this machine's;
    the jobs are all machines'.

    An ``async with`` starts it, and closes what this object holds open: attached workers end with
    that, detached ones go on.
    """

    def __init__(
        self,
        db_path_or_url: str | os.PathLike[str],
        app_initialization_callback: str | Callable[..., Any],
        *,
        initial_notification_title: str = "Background service",
        initial_notification_content: str = "",
        concurrency: int = 10,
        processes: int = 1,
        detached: bool = True,
        retention: timedelta | float | None = None,
        queues: tuple[str, ...] | None = None,
        lease: timedelta | float = DEFAULT_LEASE,
        start_timeout: timedelta | float = START_TIMEOUT_SECONDS,
        if_running: IfRunning = "error",
        database: SqlDatabase | None = None,
        pool_size: int = 10,
        unknown_key_grace: timedelta | float = DEFAULT_UNKNOWN_KEY_GRACE,
    ) -> None:
        self._files = ServiceFiles.of(db_path_or_url)
        self._config = WorkerConfig(
            database=self._files.address,
            callback=name_of(app_initialization_callback),
            notification_title=initial_notification_title,
            notification_content=initial_notification_content,
            concurrency=concurrency,
            processes=processes,
            retention=retention,
            queues=queues,
            lease=lease,
            pool_size=pool_size,
            unknown_key_grace=unknown_key_grace,
        )
        self._detached = detached
        self._start_timeout = to_seconds("start_timeout", start_timeout)
        if if_running not in get_args(IfRunning):
            raise ServiceArgumentError("if_running", if_running, f"it must be one of {', '.join(get_args(IfRunning))}")
        self._if_running: IfRunning = if_running
        self._database = database
        self._opened = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._app_pipe: int | None = None
        self._link = ControlClient(self._files, self._on_frame, lambda: self._board.show(ServiceState()))
        self._mailbox = EventBus(self._link.hold, self._link.release)
        self._board = StateBoard(self._link.hold, self._link.release)

    async def start(self) -> None:
        """Start the workers and return when they are ready; attach if they run already.

        However many processes start at once, one group of workers comes of it; one that is just
        stopping is waited for. Raises ``ServiceDiffersError`` if they run with other settings (see
        ``if_running``), and ``WorkerStartError``, with the worker's traceback and what it printed, if the
        callback raises, its name does not resolve, the worker dies, or it is not ready after
        ``start_timeout`` seconds: then nothing is left running.
        """
        self._files.create()
        reading, writing = (None, None) if self._detached else open_private_pipe()
        config = attrs.evolve(
            self._config,
            sys_path=tuple(entry or os.getcwd() for entry in sys.path),
            python_path=os.environ.get("PYTHONPATH"),
        )
        starter = Starter(config, self._files, reading, self._if_running)
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
        self._link.nudge()

    async def is_running(self) -> bool:
        """Tell whether workers of this database run, whoever started them."""
        return is_locked(self._files.group_lock)

    async def job(
        self,
        job_key: str,
        payload: object = None,
        *,
        priority: int = 0,
        max_attempts: int = 3,
        delay: timedelta | float | None = None,
        run_at: datetime | None = None,
        queue: str = "default",
        timeout: timedelta | float | None = None,  # noqa: ASYNC109 - the job's
        unique_key: str | None = None,
        transaction: Any | None = None,
    ) -> int:
        """Enqueue a job and return its id; durable when this returns, whether workers run or not.

        As ``BackgroundJobManager.enqueue``.
        """
        manager = await self._manager()
        return await manager.enqueue(
            job_key,
            payload,
            priority=priority,
            max_attempts=max_attempts,
            delay=delay,
            run_at=run_at,
            queue=queue,
            timeout=timeout,
            unique_key=unique_key,
            transaction=transaction,
        )

    async def stop(self, timeout: timedelta | float = 30.0) -> None:  # noqa: ASYNC109 - bounds the jobs, not this call
        """Stop the workers, also those of another process, and return when they have ended.

        They finish what runs; what still runs after ``timeout`` seconds is released: it is
        PENDING again and the attempt does not count. Nothing happens if none run. Raises
        ``WorkerStopError`` if they do not end.
        """
        await stop_group(self._files, to_seconds("timeout", timeout))

    def on(self, event: str) -> Observable[Any]:
        """Return a hot observable of what workers send as ``event``, now or after a later start."""
        return self._mailbox.on(event)

    async def invoke(self, event: str, data: object = None) -> None:
        """Send a message to every worker; returns when it is on its way.

        While workers have too many messages to read it waits. Raises ``ServiceNotRunningError`` if no worker
        runs, ``MessageError`` if ``data`` is not JSON, nested deeper than 200 or over 1 MiB, and
        ``ServiceStalledError`` if the message is not read within ten seconds.
        """
        await self._link.send(frames.event(event, data))

    @property
    def state(self) -> Observable[ServiceState]:
        """Return an observable of the service: its state now, then each change, pushed."""
        return self._board.observe()

    @property
    def manifest(self) -> Observable[ServiceManifest]:
        """Return an observable of what the workers can do, told when they appear and when it changes.

        It says nothing while none run. With it a page can offer the handlers of a process that it
        does not import.
        """
        return observe_manifest(self.on, self.state, self.invoke)

    async def aclose(self) -> None:
        """Close what this object holds open; workers that are attached to it end."""
        await self._opened.aclose()
        await self._link.settle()
        _close(self._app_pipe)
        self._app_pipe = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

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
                self._board.show(ServiceState.of(frame))
            case frames.Event():
                self._mailbox.deliver(frame.name, frames.data_of(frame))
            case _:
                pass


@asynccontextmanager
async def _open(files: ServiceFiles, pool_size: int) -> AsyncGenerator[SqlDatabase]:
    # An asynchronous generator, because asyncio.run() closes those that were left open: an app
    # that forgets aclose() must not hang at its end, waiting for the database's threads.
    async with open_database(files.address, pool_size=pool_size) as database:
        yield database


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        close_private(descriptor)
