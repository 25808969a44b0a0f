"""The embedded job engine: everything in the app's own SQLite file."""

from tetherpy.facades import facade_dir

from .engine import SQLITE_CAPABILITIES, SqliteJobEngine
from .finding import read_jobs
from .schema import JOB_MIGRATIONS

__all__ = ["JOB_MIGRATIONS", "SQLITE_CAPABILITIES", "SqliteJobEngine", "read_jobs"]

__dir__ = facade_dir(__all__)
