"""Errors of the command line."""

from __future__ import annotations

from tetherpy.distribution import install_command
from tetherpy.errors import TetherError, clause, message


class CommandError(TetherError):
    """A command failed; the message is the one line that the user reads."""


@message(
    "No database given. Pass --database PATH, set TETHERPY_DATABASE, or run the command in a folder with a tether.yaml."
)
class DatabaseUnknownError(CommandError):
    """No option, environment variable or ``tether.yaml`` names the database."""


@message("There is no database {path!r}. Correct the path, or create it: tetherpy migrate --database {path!r}.")
class NoDatabaseError(CommandError):
    """The database does not exist, and a read-only command does not create it."""

    path: str


@message("{path!r} is a folder, not a database. Pass the path of the database file.")
class FolderError(CommandError):
    """The path of a database is a folder."""

    path: str


@message(
    "The database {path!r} has no job tables. Correct the path, or add them: tetherpy migrate --database {path!r}."
)
class NoJobTablesError(CommandError):
    """The database has no job tables, and a read-only command does not add them."""

    path: str


@message("The jobs were not copied: {reason!c}.")
class EngineCopyError(CommandError):
    """Jobs cannot be copied between these databases."""

    reason: str


class JobsFailedError(CommandError):
    """Watched jobs did not complete."""

    def __init__(self, jobs: list[tuple[int, str, str | None]]) -> None:
        self.jobs = jobs
        text = "; ".join(f"job {job_id} is {status}{_because(error)}" for job_id, status, error in jobs)
        again = " ".join(str(job_id) for job_id, _, _ in jobs)
        super().__init__(f"{text[:1].upper()}{text[1:]}. To run them again: tetherpy jobs retry {again}.")


@message(
    "No initialization callback configured. Pass --callback module:function, or set "
    "app_initialization_callback in tether.yaml."
)
class CallbackUnknownError(CommandError):
    """No option and no ``tether.yaml`` names the initialization callback of the workers."""


@message("The workers did not start: {reason!c}. Their processes have ended. The log is {log}.")
class ServiceStartError(CommandError):
    """The workers did not start."""

    reason: str
    log: str


@message("No workers running for {database}. Start workers: tetherpy service start.")
class NoServiceError(CommandError):
    """No workers are running."""

    database: str


@message(
    "The supervisor of the workers has not responded for {seconds:g} s. See its log next to the "
    "database, then stop it: tetherpy service stop."
)
class SilentServiceError(CommandError):
    """The supervisor of the workers does not respond."""

    seconds: float


@message("{text!r} contains characters that a unit file cannot contain. Use another path or name.")
class UnitTextError(CommandError):
    """A path or an option cannot be written to a unit file."""

    text: str


@message("The workers of {database} are not installed: there is no {path!r}.")
class NotInstalledError(CommandError):
    """There is no installed unit to remove."""

    database: str
    path: str


@message("{place!r} cannot be used as migrations: {reason!c}. Name a list, such as shop.schema:MIGRATIONS.")
class MigrationsUnusableError(CommandError):
    """The named migrations cannot be used."""

    place: str
    reason: str


@message("This command needs {module}, which is not installed: {_remedy}.")
class ExtraMissingError(CommandError):
    """A command needs a library of an extra."""

    extra: str
    module: str | None

    @property
    def _remedy(self) -> str:
        return install_command(self.extra)


class NotServedError(CommandError):
    """The dashboard cannot listen on the address."""

    def __init__(self, place: str, reason: str) -> None:
        self.place = place
        self.reason = reason.partition(" (while")[0]  # drop "(while attempting to bind on address ...)"
        super().__init__(
            f"Cannot listen on {place}: {clause(self.reason)}. "
            "Choose another address with --port (0 for any free port), --host or --socket."
        )


@message("This command needs a terminal. In a pipe, use: tetherpy jobs watch.")
class NoTerminalError(CommandError):
    """A full-screen command has no terminal."""


@message(
    "{target!r} cannot be drawn: {reason!c}. Pass a container or a function that returns one, such as "
    "shop.app:container, or a module that declares providers, such as providers."
)
class GraphTargetError(CommandError):
    """The target of a drawing is not a container, a function that returns one, or a module."""

    target: str
    reason: str


def _because(error: str | None) -> str:
    return f" ({clause(error)})" if error else ""
