"""Moving: the jobs of an SQLite file, copied to PostgreSQL while the app is stopped."""

from tetherpy.facades import facade_dir

from .copy import CopyProgress, CopyReport, copy_jobs

__all__ = ["CopyProgress", "CopyReport", "copy_jobs"]

__dir__ = facade_dir(__all__)
