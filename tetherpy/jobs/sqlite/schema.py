"""The job tables as a migration of the namespace ``tetherpy.jobs``."""

from __future__ import annotations

from tetherpy.database import Migration

from ..storage.sql_files import read_schema

_SCHEMA = read_schema(__file__, "tables")
JOB_MIGRATIONS = (Migration(version=1, name="jobs, attempts, workers", sql=_SCHEMA, namespace="tetherpy.jobs"),)
"""The job tables, for ``Database.open(path, migrations=[*JOB_MIGRATIONS, ...])``; applied at first use otherwise."""
