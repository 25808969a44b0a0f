"""The embedded job engine: everything in the app's own SQLite file."""

from .engine import SQLITE_CAPABILITIES, SqliteJobEngine
from .finding import read_jobs
from .schema import JOB_MIGRATIONS

__all__ = ["JOB_MIGRATIONS", "SQLITE_CAPABILITIES", "SqliteJobEngine", "read_jobs"]


def __dir__() -> list[str]:
    return [*__all__]
