"""Every error of the command line."""

from __future__ import annotations

from tetherpy.errors import TetherError


class CommandError(TetherError):
    """A command cannot do what it was asked to; the message is the one line that the user reads."""


class DatabaseUnknownError(CommandError):
    """No option, environment variable or ``tether.yaml`` says which database is meant."""

    def __init__(self) -> None:
        super().__init__(
            "It is not known which database is meant. Give --database PATH, set TETHERPY_DATABASE, "
            "or run this in a folder with a tether.yaml."
        )


class NoDatabaseError(CommandError):
    """There is no such database, and a command that only looks makes none."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"There is no database {path!r}. Correct the path, or make it: tetherpy migrate --database {path!r}."
        )


class FolderError(CommandError):
    """What should be a database is a folder."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path!r} is a folder, and no database. Name the file in it that is one.")


class NoJobTablesError(CommandError):
    """The database is one of something else, and a command that only looks adds no tables to it."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"The database {path!r} has no job tables. Correct the path, or add them: "
            f"tetherpy migrate --database {path!r}."
        )


class EngineCopyError(CommandError):
    """Jobs cannot be copied from where, or to where, it was said."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The jobs were not copied: {reason}.")


class JobsFailedError(CommandError):
    """Jobs that were waited for did not end well."""

    def __init__(self, jobs: list[tuple[int, str, str | None]]) -> None:
        self.jobs = jobs
        told = "; ".join(f"job {job_id} is {status}{_because(error)}" for job_id, status, error in jobs)
        again = " ".join(str(job_id) for job_id, _, _ in jobs)
        super().__init__(f"{told[:1].upper()}{told[1:]}. To run them again: tetherpy jobs retry {again}.")


class CallbackUnknownError(CommandError):
    """No option and no ``tether.yaml`` says what the workers call first."""

    def __init__(self) -> None:
        super().__init__(
            "It is not known what registers the handlers. Give --callback module:function, or set "
            "app_initialization_callback in tether.yaml."
        )


class ServiceStartError(CommandError):
    """The workers did not get ready."""

    def __init__(self, reason: str, log: str) -> None:
        self.reason = reason
        self.log = log
        told = reason.removesuffix(".")
        super().__init__(f"The workers did not start: {told}. Nothing was left running. The whole log is {log}.")


class NoServiceError(CommandError):
    """No workers run."""

    def __init__(self, database: str) -> None:
        self.database = database
        super().__init__(f"No workers run for {database}. Start some: tetherpy service start.")


class SilentServiceError(CommandError):
    """Whoever supervises the workers does not answer."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(
            f"The workers' supervisor has not answered for {seconds:g} s. See its log beside the database, then "
            "stop it: tetherpy service stop."
        )


class UnitTextError(CommandError):
    """A path or an option cannot be written into a file of the service manager."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(f"{text!r} has characters that a service manager cannot be told. Use another path or name.")


class NotInstalledError(CommandError):
    """There is nothing to take back."""

    def __init__(self, database: str, path: str) -> None:
        self.database = database
        self.path = path
        super().__init__(f"The workers of {database} are not installed: there is no {path!r}.")


class MigrationsUnusableError(CommandError):
    """What should be an app's migrations is something else."""

    def __init__(self, place: str, reason: str) -> None:
        self.place = place
        self.reason = reason
        super().__init__(
            f"{place!r} cannot be used as migrations: {reason}. Name a list, such as shop.schema:MIGRATIONS."
        )


class ExtraMissingError(CommandError):
    """A command needs a library that comes with an extra."""

    def __init__(self, extra: str, module: str | None) -> None:
        self.extra = extra
        self.module = module
        super().__init__(f"This needs {module}, which is not installed: pip install 'tetherpy[{extra}]'.")


class NotServedError(CommandError):
    """The page cannot be at the address that it should have."""

    def __init__(self, place: str, reason: str) -> None:
        self.place = place
        self.reason = reason.partition(" (while")[0]  # attempting to bind: what that was is said here
        super().__init__(
            f"The page cannot be at {place}: {self.reason}. Choose another with --port (0: any that is "
            "free), --host or --socket."
        )


class NoTerminalError(CommandError):
    """What draws on the whole terminal has none."""

    def __init__(self) -> None:
        super().__init__("This needs a terminal. In a pipe, use: tetherpy jobs watch.")


class GraphTargetError(CommandError):
    """What should be drawn is no container, and nothing that makes or declares providers."""

    def __init__(self, target: str, reason: str) -> None:
        self.target = target
        self.reason = reason
        super().__init__(
            f"{target!r} cannot be drawn: {reason}. Name a container or a function that returns one, such as "
            "shop.app:container, or a module that declares providers, such as providers."
        )


def _because(error: str | None) -> str:
    return f" ({error.rstrip('.')})" if error else ""
