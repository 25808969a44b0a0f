"""Job tables of a newer version."""

import pytest

from tetherpy.database import Database, SchemaNewerError
from tetherpy.jobs import JOB_MIGRATIONS, NewJob, SqliteJobEngine


async def test_tables_of_an_unknown_newer_version_are_refused_and_not_changed(tmp_path):
    path = tmp_path / "jobs.db"
    async with Database.open(path, migrations=JOB_MIGRATIONS) as db:
        await SqliteJobEngine(db).enqueue([NewJob(job_key="k")])
        await db.execute(
            "INSERT INTO tetherpy_migrations (namespace, version, name, checksum, applied_at) "
            "VALUES ('tetherpy.jobs', 99, 'later', '', '2030-01-01')"
        )
    async with Database.open(path) as db:
        with pytest.raises(SchemaNewerError, match="99"):
            await SqliteJobEngine(db).enqueue([NewJob(job_key="k")])
        assert (await db.get("SELECT count(*) AS n FROM background_service_jobs"))["n"] == 1
