"""Rows of other programs that no Python value can represent: each affects only itself, on every engine."""

import logging
from datetime import timedelta

import pytest

from tetherpy.jobs import (
    Ack,
    BackgroundJobStatus,
    Completed,
    JobQuery,
    NewJob,
    Released,
    UnreadableJobError,
)

FAR = "'9999-12-31 23:59:59-05'"
"""An instant that Python cannot represent after conversion to UTC."""
INSTANTS = {
    "sqlite": ["'whenever'", "''", "'2026-11-31T00:00:00Z'", FAR, "CAST(x'61ff62' AS TEXT)"],
    "postgres": ["'infinity'", "'-infinity'", "'20000-01-01'", "'0044-03-15 BC'"],
}
SPANS = {"sqlite": ["1e15", "9e999", "-9e999"], "postgres": ["1e15", "'NaN'", "'infinity'", "'-infinity'"]}
COLUMNS = {
    "run_at": INSTANTS,
    "created_at": INSTANTS,
    "updated_at": INSTANTS,
    "last_attempt_at": INSTANTS,
    "finished_at": INSTANTS,
    "cancel_requested_at": INSTANTS,
    "timeout": SPANS,
    "progress": {"sqlite": ["9e999"], "postgres": ["'NaN'", "'infinity'"]},
}


async def spoil(kit, job_id, column, value):
    if kit.name == "sqlite":
        await kit.execute(f"UPDATE background_service_jobs SET {column} = {value} WHERE id = {job_id}")
    elif column == "run_at":
        await kit.execute(f"UPDATE procrastinate_jobs SET scheduled_at = {value} WHERE id = {job_id}")
    else:
        await kit.execute(f"UPDATE tetherpy_job_records SET {column} = {value} WHERE job_id = {job_id}")


@pytest.mark.parametrize("column", COLUMNS)
async def test_an_invalid_row_affects_no_other_row(kit, column, caplog):
    for value in COLUMNS[column][kit.name]:
        bad, good = await kit.engine.enqueue([NewJob(job_key="k", priority=1), NewJob(job_key="k")])
        await spoil(kit, bad, column, value)
        caplog.clear()
        with caplog.at_level(logging.WARNING, "tetherpy.jobs"):
            for _ in range(3):
                assert [job.id for job in await kit.engine.find(JobQuery(status="PENDING"))] == [good]
                assert list(await kit.engine.get_many([bad, good])) == [good]
        assert [record.job_id for record in caplog.records if record.job_id == bad] == [bad]
        with pytest.raises(UnreadableJobError) as raised:
            await kit.engine.get(bad)
        assert (raised.value.job_id, raised.value.column) == (bad, column)
        await kit.engine.timeline(kit.time.now - timedelta(days=1), 10)

        failed = (await kit.engine.counts()).failed
        claims = {claim.id: claim for claim in await kit.claim(10)}
        assert good in claims
        if bad not in claims and column != "run_at":
            assert (await kit.engine.counts()).failed == failed + 1
        acknowledged = await kit.engine.ack_and_fetch("w1", [Ack(claim, Completed()) for claim in claims.values()], 5)
        assert (acknowledged.rejected, acknowledged.next_due) == ((), None)
        assert (await kit.engine.counts()).running == 0
        await kit.engine.heartbeat("w1")
        assert await kit.engine.rescue_expired() == []


async def test_a_claimed_row_that_cannot_be_decoded_fails_and_names_its_column(kit):
    bad, good = await kit.engine.enqueue([NewJob(job_key="k", priority=1), NewJob(job_key="k")])
    await spoil(kit, bad, "timeout", "1e15")
    assert [claim.id for claim in await kit.claim(1)] in ([good], [])
    await kit.claim(1)
    await spoil(kit, bad, "timeout", "NULL")
    job = await kit.engine.get(bad)
    assert job.status is BackgroundJobStatus.FAILED
    assert "its timeout is" in job.last_error
    assert job.claimed_by is None


async def test_delayed_jobs_after_an_invalid_row_become_due(kit):
    for value in INSTANTS[kit.name]:
        bad, good = await kit.engine.enqueue([NewJob(job_key="bad", delay=5), NewJob(job_key="good", delay=60)])
        await spoil(kit, bad, "run_at", value)
        await kit.claim(10)
        assert (await kit.engine.ack_and_fetch("w1", [], 10)).next_due == kit.time.now + timedelta(seconds=60)
        kit.time.advance(seconds=60)
        assert [claim.id for claim in await kit.claim(10)] == [good]


@pytest.mark.parametrize("status", ["running", "finished"])
async def test_attempts_workers_and_ticks_are_also_read_row_by_row(kit, status):
    value = INSTANTS[kit.name][0]
    job_id = await kit.add()
    (claim,) = await kit.claim(1)
    if status == "finished":
        await kit.engine.ack_and_fetch("w1", [Ack(claim, Completed())], 0)
        await kit.execute(f"UPDATE background_service_job_attempts SET started_at = {value}")
        (attempt,) = await kit.engine.attempts(job_id)
        assert (attempt.started_at, attempt.outcome) == (None, "completed")
    else:
        await spoil(kit, job_id, "lease_expires_at", value)
        assert await kit.engine.rescue_expired() == []
        kit.time.advance(seconds=31)
        assert await kit.engine.rescue_expired() == [job_id]


@pytest.mark.parametrize("limit", ["largest", "smallest"])
async def test_an_attempts_value_at_the_integer_limit_affects_only_its_own_job(kit, limit):
    bits = 63 if kit.name == "sqlite" else 31
    number = 2**bits - 1 if limit == "largest" else -(2**bits)
    bad, good = await kit.engine.enqueue([NewJob(job_key="k", priority=1), NewJob(job_key="k")])
    await spoil(kit, bad, "attempts", str(number))
    claims = await kit.claim(10)
    assert good in [claim.id for claim in claims]
    released = await kit.engine.ack_and_fetch("w1", [Ack(claim, Released()) for claim in claims], 0)
    assert released.rejected == ()
    assert good in [claim.id for claim in await kit.claim(10)]
    await kit.engine.rescue(["w1"])
    assert (await kit.engine.counts()).running == 0
