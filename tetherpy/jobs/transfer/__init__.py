"""Moving: the jobs of an SQLite file, copied to PostgreSQL while the app is stopped."""

from .copy import CopyProgress, CopyReport, copy_jobs

__all__ = ["CopyProgress", "CopyReport", "copy_jobs"]


def __dir__() -> list[str]:
    return [*__all__]
