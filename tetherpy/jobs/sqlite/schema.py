"""The job tables as migrations of their own namespace."""

from __future__ import annotations

from tetherpy.database import Migration

from .statements import sql

JOB_MIGRATIONS = (
    Migration(version=1, name="jobs, attempts, workers", sql=sql("schema_001"), namespace="tetherpy.jobs"),
    Migration(version=2, name="a fence for each claim", sql=sql("schema_002"), namespace="tetherpy.jobs"),
    Migration(version=3, name="claims across queues, by key", sql=sql("schema_003"), namespace="tetherpy.jobs"),
)
"""The job tables, for ``Database.open(path, migrations=[*JOB_MIGRATIONS, ...])``; applied at first use otherwise."""
