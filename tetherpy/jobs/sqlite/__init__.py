"""The embedded job engine: everything in the app's own SQLite file."""

from .engine import SqliteJobEngine
from .schema import JOB_MIGRATIONS

__all__ = ["JOB_MIGRATIONS", "SqliteJobEngine"]
