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


class NoJobTablesError(CommandError):
    """The database is one of something else, and a command that only looks adds no tables to it."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"The database {path!r} has no job tables. Correct the path, or add them: "
            f"tetherpy migrate --database {path!r}."
        )


class JobsFailedError(CommandError):
    """Jobs that were waited for did not end well."""

    def __init__(self, jobs: list[tuple[int, str, str | None]]) -> None:
        self.jobs = jobs
        told = "; ".join(f"job {job_id} is {status}{f' ({error})' if error else ''}" for job_id, status, error in jobs)
        again = " ".join(str(job_id) for job_id, _, _ in jobs)
        super().__init__(f"{told[:1].upper()}{told[1:]}. To run them again: tetherpy jobs retry {again}.")
