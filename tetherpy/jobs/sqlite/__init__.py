"""The embedded job engine: everything in the app's own SQLite file."""

from .engine import SQLITE_CAPABILITIES, SqliteJobEngine
from .schema import JOB_MIGRATIONS
from .snapshot import read_jobs

__all__ = ["JOB_MIGRATIONS", "SQLITE_CAPABILITIES", "SqliteJobEngine", "read_jobs"]
