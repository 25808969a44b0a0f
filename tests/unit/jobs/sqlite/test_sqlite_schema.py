"""Job tables that an earlier version made."""

import pytest

from tetherpy.database import Database
from tetherpy.jobs import JOB_MIGRATIONS, Ack, BackgroundJobStatus, Completed, SqliteJobEngine

INSERT = "INSERT INTO background_service_jobs (job_key, status, attempts, claimed_by, created_at, updated_at) VALUES "
NOW = "'2026-01-01T00:00:00.000000+00:00'"


@pytest.mark.parametrize("known", range(1, len(JOB_MIGRATIONS)))
async def test_jobs_of_an_earlier_version_are_worked_off(tmp_path, known):
    path = tmp_path / "jobs.db"
    async with Database.open(path, migrations=JOB_MIGRATIONS[:known]) as db:
        await db.execute(f"{INSERT} ('waits', 'PENDING', 0, NULL, {NOW}, {NOW})")
        await db.execute(f"{INSERT} ('was running', 'RUNNING', 1, 'old', {NOW}, {NOW})")
    async with Database.open(path) as db:
        engine = SqliteJobEngine(db)
        assert await engine.rescue(["old"]) == [2]
        claims = (await engine.ack_and_fetch("new", [], 5)).claims
        assert {claim.job.job_key: claim.attempt for claim in claims} == {"waits": 1, "was running": 2}
        ack_and_fetch = await engine.ack_and_fetch("new", [Ack(claim, Completed()) for claim in claims], 0)
        assert ack_and_fetch.rejected == ()
        assert {job.status for job in (await engine.get_many([1, 2])).values()} == {BackgroundJobStatus.COMPLETED}
