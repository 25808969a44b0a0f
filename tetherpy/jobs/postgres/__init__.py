"""The job engine for many machines: Procrastinate's queue on PostgreSQL, with a record beside each job."""

from .engine import POSTGRES_CAPABILITIES, PostgresJobEngine
from .schema import POSTGRES_JOB_MIGRATIONS

__all__ = ["POSTGRES_CAPABILITIES", "POSTGRES_JOB_MIGRATIONS", "PostgresJobEngine"]
