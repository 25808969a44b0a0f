"""Rows that another program wrote: each read has a defined result, and an invalid row never hides the others."""

import asyncio
import logging
from datetime import timedelta

import pytest

from tetherpy.jobs import (
    Ack,
    BackgroundJobStatus,
    Completed,
    JobQuery,
    NewJob,
    PayloadDecodeError,
    UnreadableJobError,
)

PENDING, FAILED = BackgroundJobStatus.PENDING, BackgroundJobStatus.FAILED
SPOILT = [
    ("created_at", "yesterday"),
    ("created_at", 17),
    ("updated_at", b"2030"),
    ("last_attempt_at", "soon"),
    ("run_at", "whenever"),
    ("attempts", "many"),
    ("attempts", 1.5),
    ("max_attempts", "x"),
    ("priority", 0.5),
    ("priority", "high"),
    ("timeout", "long"),
    ("timeout", 1e300),
    ("payload", b"\xff\x00"),
    ("job_key", b"\xff"),
    ("progress", "half"),
    ("finished_at", "never"),
]


async def spoil(db, column, value, job_id):
    await db.execute(f"UPDATE background_service_jobs SET {column} = ? WHERE id = ?", (value, job_id))


@pytest.mark.parametrize(("column", "value"), SPOILT)
async def test_an_invalid_row_is_omitted_from_lists_with_a_warning(db, engine, caplog, column, value):
    bad, good = await engine.enqueue([NewJob(job_key="k"), NewJob(job_key="k")])
    await spoil(db, column, value, bad)
    with caplog.at_level(logging.WARNING, "tetherpy.jobs"):
        listed = await engine.find(JobQuery(status=PENDING))
    assert [job.id for job in listed] == [good]
    (record,) = caplog.records
    assert (record.job_id, record.column) == (bad, column)
    with pytest.raises(UnreadableJobError) as raised:
        await engine.get(bad)
    assert (raised.value.job_id, raised.value.column) == (bad, column)


@pytest.mark.parametrize(("column", "value"), SPOILT)
async def test_an_invalid_row_does_not_stop_a_worker(db, engine, column, value):
    bad, good = await engine.enqueue([NewJob(job_key="k"), NewJob(job_key="k")])
    await spoil(db, column, value, bad)
    ack_and_fetch = await engine.ack_and_fetch("w1", [], 10)
    claimed = {claim.id: claim for claim in ack_and_fetch.claims}
    assert good in claimed
    row = await db.get("SELECT status, last_error FROM background_service_jobs WHERE id = ?", (bad,))
    if bad in claimed:  # the claim has replaced the value
        assert column in {"attempts", "updated_at", "last_attempt_at", "progress"}
    else:
        assert row["status"] == "FAILED"
        assert column in row["last_error"]


async def test_a_negative_attempt_count_restarts_at_zero(db, engine):
    (job_id,) = await engine.enqueue([NewJob(job_key="k")])
    await spoil(db, "attempts", -7, job_id)
    assert (await engine.get(job_id)).attempts == -7
    (claim,) = (await engine.ack_and_fetch("w1", [], 1)).claims
    assert claim.attempt == 1


async def test_an_attempt_count_at_the_integer_limit_ends_the_retries(db, engine):
    (job_id,) = await engine.enqueue([NewJob(job_key="k")])
    await spoil(db, "attempts", 2**63 - 1, job_id)
    assert (await engine.ack_and_fetch("w1", [], 1)).claims == ()
    row = await db.get("SELECT status, last_error FROM background_service_jobs WHERE id = ?", (job_id,))
    assert row["status"] == "FAILED"
    assert "attempts" in row["last_error"]


async def test_a_job_with_an_unknown_status_is_counted_and_not_changed(db, engine, manager):
    odd, good = await engine.enqueue([NewJob(job_key="k"), NewJob(job_key="k")])
    await spoil(db, "status", "PAUSED", odd)
    counts = await engine.counts()
    assert (counts.pending, counts.unknown, counts.total) == (1, 1, 2)
    assert [job.id for job in await manager.get_all_jobs()] == [good]
    assert [claim.id for claim in (await engine.ack_and_fetch("w1", [], 5)).claims] == [good]
    with pytest.raises(UnreadableJobError) as raised:
        await manager.cancel_job(odd)
    assert raised.value.value == "PAUSED"
    await manager.delete_job(odd)
    assert (await engine.counts()).unknown == 0


async def test_a_payload_that_is_not_json_is_listed_and_fails_only_when_decoded(db, engine, manager):
    (job_id,) = await engine.enqueue([NewJob(job_key="k", payload={"a": 1})])
    await spoil(db, "payload", "{not json", job_id)
    (job,) = await manager.get_jobs_by_status(PENDING)
    assert job.payload_json == "{not json"
    with pytest.raises(PayloadDecodeError):
        _ = job.payload
    (claim,) = (await engine.ack_and_fetch("w1", [], 1)).claims
    assert claim.id == job_id


@pytest.mark.parametrize("column", ["payload", "job_key", "queue", "last_error", "unique_key"])
async def test_text_that_is_not_utf8_affects_no_other_job(db, engine, column):
    bad, good = await engine.enqueue([NewJob(job_key="k"), NewJob(job_key="k")])
    await db.execute(f"UPDATE background_service_jobs SET {column} = CAST(x'61ff62' AS TEXT) WHERE id = ?", (bad,))
    listed = await engine.find(JobQuery(limit=None, order_by_creation="ASC"))
    assert [job.id for job in listed] == [bad, good]
    field = "payload_json" if column == "payload" else column
    assert getattr(listed[0], field) == "a\\xffb"
    ack_and_fetch = await engine.ack_and_fetch("w1", [], 5)
    assert {claim.id for claim in ack_and_fetch.claims} == {bad, good}
    done = [Ack(claim, Completed()) for claim in ack_and_fetch.claims]
    assert (await engine.ack_and_fetch("w1", done, 5)).rejected == ()


async def test_a_program_that_knows_only_the_original_columns_can_read_and_insert_jobs(db, engine):
    await engine.enqueue([NewJob(job_key="ours", payload={"a": 1}, priority=2)])
    row = await db.get(
        "SELECT id, job_key, payload, status, attempts, max_attempts, last_attempt_at, last_error, priority,"
        " created_at, updated_at FROM background_service_jobs"
    )
    assert tuple(row)[:9] == (1, "ours", '{"a":1}', "PENDING", 0, 3, None, None, 2)
    await db.execute(
        "INSERT INTO background_service_jobs (job_key, payload, status, attempts, max_attempts, priority,"
        " created_at, updated_at) VALUES ('theirs', '{}', 'PENDING', NULL, NULL, NULL,"
        " '2030-01-01T00:00:00.000Z', '2030-01-01T00:00:00.000Z')"
    )
    claims = (await engine.ack_and_fetch("w1", [], 5)).claims
    assert [claim.job.job_key for claim in claims] == ["ours", "theirs"]
    assert (claims[1].attempt, claims[1].job.max_attempts) == (1, 3)


async def test_streams_continue_despite_an_invalid_row(db, engine, manager):
    bad, good = await engine.enqueue([NewJob(job_key="k"), NewJob(job_key="k")])
    await spoil(db, "created_at", "yesterday", bad)
    seen, errors = [], []
    told = asyncio.Event()

    def fail(error):
        errors.append(error)
        told.set()

    def take(jobs):
        seen.append([job.id for job in jobs])
        told.set()

    watched = manager.watch_jobs_by_status(PENDING).subscribe(take, fail)
    broken = manager.watch_job(bad).subscribe(take, fail)
    async with asyncio.timeout(25):
        while seen != [[good]] or not errors:
            told.clear()
            await told.wait()
        (third,) = await engine.enqueue([NewJob(job_key="k")])
        while seen[-1] != [third, good]:
            told.clear()
            await told.wait()
    assert [type(error) for error in errors] == [UnreadableJobError]
    watched.dispose()
    broken.dispose()


async def test_a_job_without_max_attempts_gets_the_default(db, engine):
    """The original table allows NULL there."""
    (job_id,) = await engine.enqueue([NewJob(job_key="k")])
    await spoil(db, "max_attempts", None, job_id)
    for attempt in (1, 2, 3):
        await engine.ack_and_fetch("w1", [], 1)
        await engine.rescue(["w1"])
        job = await engine.get(job_id)
        assert (job.attempts, job.finished_at is None) == (attempt, attempt < 3)
    assert job.status is FAILED


async def test_a_running_job_without_an_attempt_count_is_rescued(db, engine):
    (job_id,) = await engine.enqueue([NewJob(job_key="k")])
    await engine.ack_and_fetch("w1", [], 1)
    await spoil(db, "attempts", None, job_id)
    assert await engine.rescue(["w1"]) == [job_id]
    job = await engine.get(job_id)
    assert (job.status, job.finished_at) == (PENDING, None)
    assert job.last_error == "worker died: w1 did not finish attempt 0"
    (attempt,) = await engine.attempts(job_id)
    assert (attempt.attempt, attempt.outcome) == (0, "worker died")


async def test_retention_keeps_jobs_without_an_end_time(db, engine):
    (job_id,) = await engine.enqueue([NewJob(job_key="k")])
    await spoil(db, "finished_at", "2000-01-01T00:00:00.000000Z", job_id)
    assert await engine.delete_finished(timedelta(0)) == 0
    assert (await engine.get(job_id)).status is PENDING
