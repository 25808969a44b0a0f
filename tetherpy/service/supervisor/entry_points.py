"""Entry points of a supervisor process, in the background or in the foreground."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from ..app.launch import listen
from ..errors import ServiceAlreadyRunningError
from ..logs.worker_logging import worker_logging
from ..protocol.callback_name import label_of, name_of
from ..protocol.locks import signer_of, try_lock, unlock
from ..protocol.platform_support import WORKER_PROCESSES
from ..protocol.service_files import ServiceFiles
from ..protocol.settings import DEFAULT_LEASE, DEFAULT_UNKNOWN_KEY_GRACE, LogFormat, LogLevel, WorkerConfig
from ..protocol.worker_log import WorkerLog
from ..worker.local_worker import serve_here
from ..worker.worker_process import work
from .group_files import GroupFiles
from .log_pump import LogPump
from .selector_loop import SelectorLoop
from .supervisor import Supervisor


def serve_launched(lock: int, listener: int, app_pipe: int | None = None) -> int:
    """Supervise with the descriptors from ``launch`` and the configuration on standard input; return the exit code."""
    _reset_signals()
    config = WorkerConfig.decode(sys.stdin.buffer.read())
    _read_nothing_more()
    for descriptor in (lock, listener, *(() if app_pipe is None else (app_pipe,))):
        os.set_inheritable(descriptor, False)
    files = ServiceFiles.of(config.database)
    sys.path[:] = config.sys_path
    _restore_environment(config)
    selector_loop = SelectorLoop()
    log = WorkerLog(files.log, standard_streams=True)
    group = GroupFiles(files, lock)
    supervisor = _supervisor(config, group, socket.socket(fileno=listener), selector_loop, LogPump(selector_loop, log))
    if app_pipe is not None:
        supervisor.stop_with(app_pipe)
    return supervisor.run()


def run_worker(
    address: str | os.PathLike[str],
    app_initialization_callback: str | Callable[..., Any],
    *,
    initial_notification_title: str = "Background service",
    initial_notification_content: str = "",
    concurrency: int = 10,
    processes: int = 1,
    retention: timedelta | float | None = None,
    queues: tuple[str, ...] | None = None,
    lease: timedelta | float = DEFAULT_LEASE,
    pool_size: int = 10,
    unknown_key_grace: timedelta | float = DEFAULT_UNKNOWN_KEY_GRACE,
    log_level: LogLevel = "INFO",
    log_format: LogFormat = "text",
    job_logs: bool = True,
    reload: bool = False,
) -> int:
    """Serve a database in the foreground until a signal ends it; return the exit code.

    For systemd and containers. After the first SIGTERM or SIGINT, running jobs have 30 seconds to finish (graceful
    shutdown); a second signal releases them at once. Output goes to the streams of this process. Call it from a
    process without other threads, because it forks. Apps can attach to it. The parameters are those of
    ``BackgroundService``. Raises ``ServiceAlreadyRunningError`` if a service is running for the database.

    With ``reload`` give the callback by name: modules that the caller has imported are not loaded again.

    On a platform without worker processes, such as Windows, one worker runs in this process until Ctrl-C.
    """
    files = ServiceFiles.of(address)
    config = WorkerConfig(
        database=files.address,
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
    if not WORKER_PROCESSES:
        return _run_here(config, files, app_initialization_callback)
    name_of(app_initialization_callback)
    files.create()
    _open_standard_descriptors()
    lock = try_lock(files.group_lock)
    if lock is None:
        raise ServiceAlreadyRunningError(files.name, signer_of(files.group_lock))
    try:
        listener = listen(files)
    except BaseException:
        unlock(lock)
        raise
    return _supervisor(config, GroupFiles(files, lock), listener, SelectorLoop(), None).run()


def _run_here(config: WorkerConfig, files: ServiceFiles, callback: str | Callable[..., Any]) -> int:
    try:
        with worker_logging(config):
            asyncio.run(serve_here(config, files, callback))
    except KeyboardInterrupt:
        pass  # the jobs have finished, or were released by a second one
    return 0


def _supervisor(
    config: WorkerConfig,
    group: GroupFiles,
    listener: socket.socket,
    selector_loop: SelectorLoop,
    output: LogPump | None,
) -> Supervisor:
    # All workers share the memory of the current objects; freezing keeps the collector from writing to it.
    gc.freeze()
    gc.enable()
    return Supervisor(config, group, work, listener, selector_loop, output)


def _reset_signals() -> None:
    """Unblock signals and restore their defaults: a new process inherits the settings of the app."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals():
        # Python ignores these two and raises errors instead.
        if signal.getsignal(number) is signal.SIG_IGN and number not in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)


def _open_standard_descriptors() -> None:
    """Open closed standard streams, so that no socket or database gets their number and receives output."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def _read_nothing_more() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)


def _restore_environment(config: WorkerConfig) -> None:
    if config.python_path is None:
        os.environ.pop("PYTHONPATH", None)
    else:
        os.environ["PYTHONPATH"] = config.python_path
