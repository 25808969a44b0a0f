"""Every error of the service package."""

from __future__ import annotations

from tetherpy.database import DatabaseAddressError
from tetherpy.errors import ArgumentError, TetherError
from tetherpy.jobs import did_you_mean


class ServiceError(TetherError):
    """Base of all errors about the background service and its workers."""


def _process(pid: int | None) -> str:
    return "" if pid is None else f" (process {pid})"


class ServiceArgumentError(ServiceError, ArgumentError):
    """Raised when a parameter has a wrong type or is out of its bounds."""


class WorkerStartError(ServiceError):
    """The worker did not become ready.

    ``worker_traceback`` is what the initialization callback raised, if it did; ``log_tail`` is
    what the worker printed while starting. ``left_running`` is the supervisor of another start that was waited for.
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
        parts = [f"The background worker did not start: {reason}."]
        if worker_traceback:
            parts.append(f"In the worker:\n{worker_traceback.rstrip()}")
        if log_tail:
            parts.append(f"It printed:\n{log_tail.rstrip()}")
        if log and left_running is not None:
            parts.append(f"Process {left_running} was left running; its log is {log}. Stop it, then start again.")
        elif log:
            parts.append(f"Nothing was left running; the whole log is {log}.")
        super().__init__("\n".join(parts))


class WorkerStopError(ServiceError, TimeoutError):
    """The service was asked to stop and is still there; ``pid`` is its supervisor's, if that is known."""

    def __init__(self, database: str, waited: float, pid: int | None = None) -> None:
        self.database = database
        self.waited = waited
        self.pid = pid
        super().__init__(
            f"The background service of {database} is still there {waited:.1f} s after it was asked to "
            f"stop: its supervisor{_process(pid)} does not end. See its log, then kill the process."
        )


class ServiceStalledError(ServiceError, TimeoutError):
    """The service does not read what it is sent; ``pid`` is its supervisor's, if that is known."""

    def __init__(self, database: str, waited: float, pid: int | None = None) -> None:
        self.database = database
        self.waited = waited
        self.pid = pid
        super().__init__(
            f"The background service of {database} did not answer within {waited:g} s: its supervisor"
            f"{_process(pid)} stands still, or a worker blocks its event loop while many messages wait for it. "
            "Send again later; see the service's log if it lasts."
        )


class ServiceDiffersError(ServiceError):
    """A service runs with other settings than those that were asked for."""

    def __init__(self, database: str, running: str, wanted: str, pid: int) -> None:
        self.database = database
        self.running = running
        self.wanted = wanted
        self.pid = pid
        super().__init__(
            f"A background service with other settings runs for {database} (supervisor {pid}). "
            f"Running: {running}. Asked for: {wanted}. "
            'Start with if_running="attach" to use the one that runs, or with if_running="restart" to replace it.'
        )


class FrameError(ServiceError):
    """A line between two processes of the service is not a frame."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The connection carried what is not a frame: {reason}. It is closed.")


class ServiceNotRunningError(ServiceError):
    """There is no worker to talk to."""

    def __init__(self, database: str) -> None:
        self.database = database
        super().__init__(
            f"No background service answers for {database}: it was not started, or it has stopped. Call start() first."
        )


class ServiceAlreadyRunningError(ServiceError):
    """Another process serves this database already."""

    def __init__(self, database: str, pid: int | None = None) -> None:
        self.database = database
        self.pid = pid
        super().__init__(
            f"A background service already runs for {database}{_process(pid)}; one database has one. Stop that one "
            "first, or give it more processes."
        )


class ServiceFolderError(ServiceError):
    """The folder for the service's files cannot be used."""

    def __init__(self, folder: str, reason: str, remedy: str = "") -> None:
        self.folder = folder
        self.reason = reason
        self.remedy = remedy or "Create the folder of the database and make it writable, or correct the database path"
        super().__init__(f"The background service cannot keep its files in {folder}: {reason}. {self.remedy}.")


class UnsupportedDatabaseError(DatabaseAddressError, ServiceError):
    """There are no workers for this kind of database."""

    def __init__(self, url: str) -> None:
        super().__init__(url, "it is a URL of neither an SQLite file nor a PostgreSQL server")
        self.url = url


class CallbackNameError(ServiceError):
    """The initialization callback cannot be imported by its name in another process."""

    def __init__(self, callback: object, reason: str) -> None:
        self.callback = callback
        self.reason = reason
        super().__init__(
            f"The initialization callback {callback!r} cannot be used: {reason}. Give it as "
            '"package.module:function", naming a function at the top of an importable module.'
        )


class HandlerRegistrationError(ServiceError):
    """A handler or a periodic job cannot be registered as it is."""

    def __init__(self, key: str, reason: str) -> None:
        self.key = key
        self.reason = reason
        super().__init__(f"{key!r} cannot be registered: {reason}.")


class NoSuchHandlerError(ServiceError):
    """A job's key has no handler in this worker."""

    def __init__(self, key: str, registered: tuple[str, ...]) -> None:
        self.key = key
        self.registered = registered
        super().__init__(
            f"No handler is registered for {key!r}{did_you_mean(key, registered)}; "
            f"registered are: {', '.join(registered) or 'none'}. "
            "Register it in the initialization callback, then retry the job."
        )


class OutsideJobError(ServiceError):
    """Something that belongs to one job was used where no job runs."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(
            f"ServiceInstance.{what} belongs to one job. Use it on the service that a handler is given, "
            "not on the one of the initialization callback."
        )


class MessageError(ServiceError):
    """A message between app and worker cannot be sent."""

    def __init__(self, event: str, reason: str) -> None:
        self.event = event
        self.reason = reason
        super().__init__(f"The message {event!r} cannot be sent: {reason}.")
