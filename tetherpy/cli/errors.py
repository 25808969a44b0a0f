"""Errors of the command line."""

from __future__ import annotations

from tetherpy.distribution import install_command
from tetherpy.errors import TetherError, clause


class CommandError(TetherError):
    """A command failed; the message is the one line that the user reads."""


class DatabaseUnknownError(CommandError):
    """No option, environment variable or ``tether.yaml`` names the database."""

    def __init__(self) -> None:
        super().__init__(
            "No database given. Pass --database PATH, set TETHERPY_DATABASE, "
            "or run the command in a folder with a tether.yaml."
        )


class NoDatabaseError(CommandError):
    """The database does not exist, and a read-only command does not create it."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"There is no database {path!r}. Correct the path, or create it: tetherpy migrate --database {path!r}."
        )


class FolderError(CommandError):
    """The path of a database is a folder."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path!r} is a folder, not a database. Pass the path of the database file.")


class NoJobTablesError(CommandError):
    """The database has no job tables, and a read-only command does not add them."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"The database {path!r} has no job tables. Correct the path, or add them: "
            f"tetherpy migrate --database {path!r}."
        )


class EngineCopyError(CommandError):
    """Jobs cannot be copied between these databases."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The jobs were not copied: {clause(reason)}.")


class JobsFailedError(CommandError):
    """Watched jobs did not complete."""

    def __init__(self, jobs: list[tuple[int, str, str | None]]) -> None:
        self.jobs = jobs
        text = "; ".join(f"job {job_id} is {status}{_because(error)}" for job_id, status, error in jobs)
        again = " ".join(str(job_id) for job_id, _, _ in jobs)
        super().__init__(f"{text[:1].upper()}{text[1:]}. To run them again: tetherpy jobs retry {again}.")


class CallbackUnknownError(CommandError):
    """No option and no ``tether.yaml`` names the initialization callback of the workers."""

    def __init__(self) -> None:
        super().__init__(
            "No initialization callback configured. Pass --callback module:function, or set "
            "app_initialization_callback in tether.yaml."
        )


class ServiceStartError(CommandError):
    """The workers did not start."""

    def __init__(self, reason: str, log: str) -> None:
        self.reason = reason
        self.log = log
        super().__init__(f"The workers did not start: {clause(reason)}. Their processes have ended. The log is {log}.")


class NoServiceError(CommandError):
    """No workers are running."""

    def __init__(self, database: str) -> None:
        self.database = database
        super().__init__(f"No workers running for {database}. Start workers: tetherpy service start.")


class SilentServiceError(CommandError):
    """The supervisor of the workers does not respond."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(
            f"The supervisor of the workers has not responded for {seconds:g} s. See its log next to the "
            "database, then stop it: tetherpy service stop."
        )


class UnitTextError(CommandError):
    """A path or an option cannot be written to a unit file."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(f"{text!r} contains characters that a unit file cannot contain. Use another path or name.")


class NotInstalledError(CommandError):
    """There is no installed unit to remove."""

    def __init__(self, database: str, path: str) -> None:
        self.database = database
        self.path = path
        super().__init__(f"The workers of {database} are not installed: there is no {path!r}.")


class MigrationsUnusableError(CommandError):
    """The named migrations cannot be used."""

    def __init__(self, place: str, reason: str) -> None:
        self.place = place
        self.reason = reason
        super().__init__(
            f"{place!r} cannot be used as migrations: {clause(reason)}. Name a list, such as shop.schema:MIGRATIONS."
        )


class ExtraMissingError(CommandError):
    """A command needs a library of an extra."""

    def __init__(self, extra: str, module: str | None) -> None:
        self.extra = extra
        self.module = module
        super().__init__(f"This command needs {module}, which is not installed: {install_command(extra)}.")


class NotServedError(CommandError):
    """The dashboard cannot listen on the address."""

    def __init__(self, place: str, reason: str) -> None:
        self.place = place
        self.reason = reason.partition(" (while")[0]  # drop "(while attempting to bind on address ...)"
        super().__init__(
            f"Cannot listen on {place}: {clause(self.reason)}. "
            "Choose another address with --port (0 for any free port), --host or --socket."
        )


class NoTerminalError(CommandError):
    """A full-screen command has no terminal."""

    def __init__(self) -> None:
        super().__init__("This command needs a terminal. In a pipe, use: tetherpy jobs watch.")


class GraphTargetError(CommandError):
    """The target of a drawing is not a container, a function that returns one, or a module."""

    def __init__(self, target: str, reason: str) -> None:
        self.target = target
        self.reason = reason
        super().__init__(
            f"{target!r} cannot be drawn: {clause(reason)}. Pass a container or a function that returns one, such as "
            "shop.app:container, or a module that declares providers, such as providers."
        )


def _because(error: str | None) -> str:
    return f" ({clause(error)})" if error else ""
