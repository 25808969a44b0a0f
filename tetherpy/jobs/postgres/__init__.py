"""The job engine for several machines: Procrastinate's queue on PostgreSQL, with one record more per job."""

from tetherpy.facades import facade_dir

from .engine import PostgresJobEngine
from .schema import POSTGRES_JOB_MIGRATIONS
from .store import POSTGRES_CAPABILITIES

__all__ = ["POSTGRES_CAPABILITIES", "POSTGRES_JOB_MIGRATIONS", "PostgresJobEngine"]

__dir__ = facade_dir(__all__)
