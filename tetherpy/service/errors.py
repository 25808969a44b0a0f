"""The errors of the service package."""

from __future__ import annotations

from tetherpy.database import DatabaseAddressError
from tetherpy.errors import ArgumentError, TetherError, clause, message
from tetherpy.jobs import did_you_mean


class ServiceError(TetherError):
    """Base class of errors of the background service and its workers."""


class _SupervisorError(ServiceError):
    """Base of the errors that name the process of a supervisor; ``pid`` is None if it is not known."""

    pid: int | None

    @property
    def _process(self) -> str:
        return "" if self.pid is None else f" (process {self.pid})"


class ServiceArgumentError(ServiceError, ArgumentError):
    """Raised when a parameter has a wrong type or is out of its bounds."""


class WorkerStartError(ServiceError):
    """The worker did not become ready.

    Attributes:
        reason: why.
        worker_traceback: the traceback of the initialization callback, if it raised.
        log_tail: the output of the worker during the start.
        log: the path of the log.
        left_running: the process id of another service's supervisor that still runs.
    """

    def __init__(
        self,
        reason: str,
        *,
        worker_traceback: str = "",
        log_tail: str = "",
        log: str = "",
        left_running: int | None = None,
    ) -> None:
        self.reason = reason
        self.left_running = left_running
        self.worker_traceback = worker_traceback
        self.log_tail = log_tail
        self.log = log
        parts = [f"The background worker did not start: {clause(reason)}."]
        if worker_traceback:
            parts.append(f"In the worker:\n{worker_traceback.rstrip()}")
        if log_tail:
            parts.append(f"It printed:\n{log_tail.rstrip()}")
        if log and left_running is not None:
            parts.append(f"Process {left_running} is still running; its log is {log}. Stop it, then start again.")
        elif log:
            parts.append(f"Its processes have ended; the full log is {log}.")
        super().__init__("\n".join(parts))


@message(
    "The background service of {database} is still running {waited:.1f} s after the request to stop: its "
    "supervisor{_process} does not end. Read its log, then kill the process."
)
class WorkerStopError(_SupervisorError, TimeoutError):
    """The service is still running after a stop; ``pid`` is the process id of its supervisor, if known."""

    database: str
    waited: float
    pid: int | None = None


@message(
    "The background service of {database} did not answer within {waited:g} s: its supervisor"
    "{_process} is suspended, or a worker blocks its event loop while many messages wait for it. "
    "Send the message again later; if the error persists, read the log of the service."
)
class ServiceStalledError(_SupervisorError, TimeoutError):
    """The service does not read its messages; ``pid`` is the process id of its supervisor, if known."""

    database: str
    waited: float
    pid: int | None = None


@message(
    "A background service with other settings is running for {database} (supervisor {pid}). "
    "Running: {running}. Requested: {wanted}. "
    'Start with if_running="attach" to use the running one, or with if_running="restart" to replace it.'
)
class ServiceDiffersError(ServiceError):
    """The running service has other settings than the requested ones."""

    database: str
    running: str
    wanted: str
    pid: int


@message("A message of the service is not valid: {reason!c}. The connection is closed.")
class FrameError(ServiceError):
    """A process of the service received a line that is not a frame."""

    reason: str


@message("No background service is running for {database}: it was not started, or it has stopped. Call start() first.")
class ServiceNotRunningError(ServiceError):
    """No service is running for the database."""

    database: str


@message(
    "A background service is already running for {database}{_process}; a database has only one on each "
    "machine. Stop it first. For more capacity, restart it with more processes."
)
class ServiceAlreadyRunningError(_SupervisorError):
    """A service is already running for the database."""

    database: str
    pid: int | None = None


@message(
    "Detached workers are processes, which need fork, Unix sockets and file locks: this platform does not have them. "
    "Run a worker in the process of the app, with async with BackgroundService(...), or with the command "
    "tetherpy worker."
)
class NoWorkerProcessesError(ServiceError):
    """Detached workers were started on a platform that cannot have them, such as Windows."""


class ServiceFolderError(ServiceError):
    """The folder for the files of the service cannot be used."""

    def __init__(self, folder: str, reason: str, remedy: str = "") -> None:
        self.folder = folder
        self.reason = reason
        self.remedy = remedy or "Create the folder of the database and make it writable, or correct the database path"
        super().__init__(
            f"The background service cannot keep its files in {folder}: {clause(reason)}. {clause(self.remedy)}."
        )


class UnsupportedDatabaseError(DatabaseAddressError, ServiceError):
    """Workers do not support this kind of database."""

    def __init__(self, url: str) -> None:
        super().__init__(url, "it is a URL of neither an SQLite file nor a PostgreSQL server")
        self.url = url


@message(
    "The initialization callback {callback!r} cannot be used: {reason!c}. Pass "
    '"package.module:function", with a function at the top level of an importable module.'
)
class CallbackNameError(ServiceError):
    """Another process cannot import the initialization callback by its name."""

    callback: object
    reason: str


@message("{name!r} cannot be registered: {reason!c}.")
class HandlerRegistrationError(ServiceError):
    """The registration of a handler or a periodic job is not valid; ``name`` is its job key or its name."""

    name: str
    reason: str


class NoSuchHandlerError(ServiceError):
    """This worker has no handler for the key of a job."""

    def __init__(self, job_key: str, registered: tuple[str, ...]) -> None:
        self.job_key = job_key
        self.registered = registered
        super().__init__(
            f"No handler is registered for {job_key!r}{did_you_mean(job_key, registered)}; "
            f"registered keys: {', '.join(registered) or 'none'}. "
            "Register it in the initialization callback, then retry the job."
        )


@message(
    "service.container belongs to the worker's event loop, and this is another thread. Declare the handler "
    "with `async def`, or use service.job_container(), which belongs to the thread that calls it."
)
class OutsideLoopError(ServiceError, RuntimeError):
    """Raised when ``service.container`` is used in a thread, for example in a handler declared without ``async``."""


@message(
    "ServiceInstance.{what} belongs to one job. Use it on the service that is passed to a handler, "
    "not on the one that is passed to the initialization callback."
)
class OutsideJobError(ServiceError):
    """A member of ``ServiceInstance`` that belongs to one job was used outside a job."""

    what: str


@message("The message {event!r} cannot be sent: {reason!c}.")
class MessageError(ServiceError):
    """A message between app and worker cannot be sent."""

    event: str
    reason: str
