from datetime import timedelta

import pytest

from tetherpy.jobs import (
    Ack,
    BackgroundJobStatus,
    Cancelled,
    ClaimLostError,
    Completed,
    Failed,
    NewJob,
    Progress,
    Released,
    Snoozed,
)


async def acknowledge(kit, claim, outcome, worker="w1"):
    ack_and_fetch = await kit.engine.ack_and_fetch(worker, [Ack(claim, outcome)], 0)
    assert ack_and_fetch.rejected == ()
    return await kit.engine.get(claim.id)


async def test_a_completed_job_stores_its_result(kit):
    await kit.add()
    claim = await kit.claim_one()
    kit.time.advance(seconds=3)
    job = await acknowledge(kit, claim, Completed('{"n":1}'))
    assert (job.status, job.result, job.last_error) == (BackgroundJobStatus.COMPLETED, {"n": 1}, None)
    assert job.finished_at == job.updated_at == kit.time.now
    assert (job.claimed_by, job.lease_expires_at) == (None, None)
    (attempt,) = await kit.engine.attempts(job.id)
    assert (attempt.attempt, attempt.worker, attempt.outcome) == (1, "w1", "completed")
    assert attempt.finished_at - attempt.started_at == timedelta(seconds=3)


async def test_a_retry_is_delayed_and_stores_error_and_traceback(kit):
    await kit.add()
    claim = await kit.claim_one()
    retry_at = kit.time.now + timedelta(seconds=10)
    job = await acknowledge(kit, claim, Failed("ValueError: no", "Traceback ...", retry_at))
    assert (job.status, job.attempts, job.last_error) == (BackgroundJobStatus.PENDING, 1, "ValueError: no")
    assert job.run_at == retry_at
    assert await kit.claim() == []
    kit.time.advance(seconds=10)
    assert (await kit.claim_one()).attempt == 2
    first, running = await kit.engine.attempts(job.id)
    assert (first.outcome, first.error, first.traceback) == ("failed", "ValueError: no", "Traceback ...")
    assert (running.attempt, running.outcome, running.finished_at) == (2, None, None)


async def test_a_job_without_attempts_left_fails(kit):
    await kit.add()
    job = await acknowledge(kit, await kit.claim_one(), Failed("ValueError: no"))
    assert (job.status, job.finished_at) == (BackgroundJobStatus.FAILED, kit.time.now)


@pytest.mark.parametrize(("outcome", "word"), [("snoozed", "snoozed"), ("released", "released")])
async def test_snoozed_and_released_attempts_are_not_counted(kit, outcome, word):
    await kit.add()
    claim = await kit.claim_one()
    later = kit.time.now + timedelta(seconds=5)
    job = await acknowledge(kit, claim, Snoozed(later) if outcome == "snoozed" else Released())
    assert (job.status, job.attempts) == (BackgroundJobStatus.PENDING, 0)
    assert job.run_at == (later if outcome == "snoozed" else claim.job.run_at)
    (attempt,) = await kit.engine.attempts(job.id)
    assert attempt.outcome == word
    kit.time.advance(seconds=5)
    assert (await kit.claim_one()).attempt == 1


async def test_a_handler_can_cancel_its_job(kit):
    await kit.add()
    job = await acknowledge(kit, await kit.claim_one(), Cancelled("no longer wanted"))
    assert (job.status, job.last_error) == (BackgroundJobStatus.CANCELLED, "no longer wanted")


@pytest.mark.parametrize("outcome", ["retry", "snooze", "release"])
async def test_a_job_with_a_cancellation_request_does_not_run_again(kit, outcome):
    job_id = await kit.add()
    claim = await kit.claim_one()
    await kit.engine.request_cancel(job_id)
    outcomes = {
        "retry": Failed("E: x", None, kit.time.now),
        "snooze": Snoozed(kit.time.now),
        "release": Released(),
    }
    job = await acknowledge(kit, claim, outcomes[outcome])
    assert job.status is BackgroundJobStatus.CANCELLED
    assert job.finished_at == kit.time.now
    assert await kit.claim() == []


async def test_one_call_stores_outcomes_and_claims_jobs(kit):
    first, second = await kit.add(), await kit.add()
    claim = await kit.claim_one()
    ack_and_fetch = await kit.engine.ack_and_fetch("w1", [Ack(claim, Completed())], 1)
    assert (claim.id, [claim.id for claim in ack_and_fetch.claims]) == (first, [second])


async def test_a_worker_that_was_fenced_out_changes_nothing(kit):
    await kit.add()
    lost = await kit.claim_one("slow")
    await kit.engine.rescue(["slow"])
    held = await kit.claim_one("quick")
    before = await kit.engine.get(held.id)
    acks = [Ack(lost, outcome) for outcome in (Completed("1"), Failed("E"), Released())]
    ack_and_fetch = await kit.engine.ack_and_fetch("slow", acks, 0)
    await kit.engine.report_progress([Progress(lost, 0.9, "nearly")])
    assert list(ack_and_fetch.rejected) == acks
    assert await kit.engine.get(held.id) == before
    assert (await acknowledge(kit, held, Completed("2"), "quick")).result == 2


async def test_a_worker_cannot_store_the_outcome_of_an_earlier_attempt(kit):
    await kit.add()
    lost = await kit.claim_one()
    await kit.engine.rescue(["w1"])
    held = await kit.claim_one()
    assert held.worker_id == lost.worker_id
    ack_and_fetch = await kit.engine.ack_and_fetch("w1", [Ack(lost, Completed())], 0)
    assert [ack.claim for ack in ack_and_fetch.rejected] == [lost]


async def test_an_earlier_run_changes_nothing_after_a_reset(kit):
    job_id = await kit.add()
    old = await kit.claim_one()
    await kit.engine.move(job_id, BackgroundJobStatus.FAILED)
    await kit.engine.retry(job_id, reset_attempts=True)
    new = await kit.claim_one()
    assert (new.attempt, new.worker_id) == (old.attempt, old.worker_id)
    await kit.engine.report_progress([Progress(old, 0.9, "old"), Progress(new, 0.1, "new")])
    assert (await kit.engine.get(job_id)).progress == 0.1

    async def settle_old():
        async with kit.transaction() as transaction:
            await kit.engine.acknowledge(Ack(old, Completed('"old"')), transaction)

    with pytest.raises(ClaimLostError):
        await settle_old()
    ends = [Ack(old, Completed('"old"')), Ack(new, Completed('"new"'))]
    assert (await kit.engine.ack_and_fetch("w1", ends, 0)).rejected == (ends[0],)
    assert (await kit.engine.get(job_id)).result == "new"


async def test_an_earlier_run_changes_nothing_after_an_uncounted_attempt(kit):
    await kit.add()
    old = await kit.claim_one()
    await acknowledge(kit, old, Snoozed(kit.time.now))
    new = await kit.claim_one()
    assert new.attempt == old.attempt
    late = Ack(old, Completed())
    assert (await kit.engine.ack_and_fetch("w1", [late], 0)).rejected == (late,)
    assert (await kit.engine.get(new.id)).status is BackgroundJobStatus.RUNNING


async def test_an_outcome_is_stored_once(kit):
    await kit.add()
    done = Ack(await kit.claim_one(), Completed("1"))
    ack_and_fetch = await kit.engine.ack_and_fetch("w1", [done, done], 0)
    assert ack_and_fetch.rejected == (done,)
    assert len(await kit.engine.attempts(done.claim.id)) == 1


async def test_the_next_attempt_clears_stored_progress(kit):
    await kit.add()
    claim = await kit.claim_one()
    await kit.engine.report_progress([Progress(claim, 0.25, "a quarter")])
    await kit.engine.report_progress([Progress(claim, None, "still a quarter")])
    job = await kit.engine.get(claim.id)
    assert (job.progress, job.progress_message) == (0.25, "still a quarter")
    job = await acknowledge(kit, claim, Failed("E", None, kit.time.now))
    assert (job.progress, job.progress_message) == (None, None)


async def test_the_outcome_and_the_writes_of_the_handler_commit_together(kit):
    await kit.add()
    claim = await kit.claim_one()
    async with kit.transaction() as transaction:
        (side_effect,) = await kit.engine.enqueue([NewJob(job_key="effect")], transaction)
        await kit.engine.acknowledge(Ack(claim, Completed('"done"')), transaction)
        assert (await kit.engine.get(claim.id)).status is BackgroundJobStatus.RUNNING
    assert (await kit.engine.get(claim.id)).result == "done"
    assert await kit.engine.get(side_effect) is not None


async def test_a_lost_claim_rolls_back_the_writes_of_the_handler(kit):
    await kit.add()
    claim = await kit.claim_one()
    await kit.engine.rescue(["w1"])

    async def handler_with_effect():
        async with kit.transaction() as transaction:
            await kit.engine.enqueue([NewJob(job_key="effect")], transaction)
            await kit.engine.acknowledge(Ack(claim, Completed()), transaction)

    with pytest.raises(ClaimLostError) as raised:
        await handler_with_effect()
    assert (raised.value.job_id, raised.value.worker_id, raised.value.attempt) == (claim.id, "w1", 1)
    assert (await kit.engine.counts()).total == 1
