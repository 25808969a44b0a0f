"""The log of an attempt is stored with it, on every engine."""

from tetherpy.jobs import Ack, BackgroundJobStatus, Completed, Progress, Released


async def logs_of(kit, job_id):
    return [attempt.logs for attempt in await kit.manager.get_attempts(job_id)]


async def test_an_ack_stores_the_log_with_the_attempt(kit):
    job_id = await kit.add()
    claim = await kit.claim_one()
    await kit.engine.ack_and_fetch("w1", [Ack(claim, Released(), "first\nrun")], 0)
    claim = await kit.claim_one()
    await kit.engine.ack_and_fetch("w1", [Ack(claim, Completed())], 0)
    assert await logs_of(kit, job_id) == ["first\nrun", None]


async def test_a_running_attempt_shows_the_lines_that_it_reported(kit):
    job_id = await kit.add()
    claim = await kit.claim_one()
    await kit.engine.report_progress([Progress(claim, logs="one"), Progress(claim, 0.5, "half")])
    assert await logs_of(kit, job_id) == ["one"]
    await kit.engine.report_progress([Progress(claim, logs="one\ntwo")])
    assert await logs_of(kit, job_id) == ["one\ntwo"]
    assert (await kit.engine.get(job_id)).progress == 0.5
    await kit.engine.ack_and_fetch("w1", [Ack(claim, Completed(), "one\ntwo\nthree")], 0)
    assert await logs_of(kit, job_id) == ["one\ntwo\nthree"]


async def test_a_rescued_attempt_keeps_the_lines_that_were_stored(kit):
    job_id = await kit.add()
    claim = await kit.claim_one("dead")
    await kit.engine.report_progress([Progress(claim, logs="before the crash")])
    await kit.engine.rescue(["dead"])
    assert await logs_of(kit, job_id) == ["before the crash"]
    await kit.claim_one("alive")
    assert await logs_of(kit, job_id) == ["before the crash", None]


async def test_an_attempt_that_is_ended_by_hand_keeps_its_lines(kit):
    job_id = await kit.add()
    claim = await kit.claim_one()
    await kit.engine.report_progress([Progress(claim, logs="until now")])
    await kit.engine.move(job_id, BackgroundJobStatus.PENDING)
    assert await logs_of(kit, job_id) == ["until now"]
    await kit.claim_one()
    assert await logs_of(kit, job_id) == ["until now", None]


async def test_a_log_is_deleted_with_its_job(kit):
    job_id = await kit.add()
    claim = await kit.claim_one()
    await kit.engine.ack_and_fetch("w1", [Ack(claim, Completed(), "gone soon")], 0)
    await kit.manager.delete_job(job_id)
    assert [tuple(row) for row in await kit.engine.db.get_all("SELECT logs FROM background_service_job_attempts")] == []
