from datetime import timedelta

from tetherpy.jobs import BackgroundJobStatus, NewJob, WorkerRecord


async def test_jobs_of_a_dead_worker_run_again_with_the_attempt_counted(kit):
    await kit.engine.enqueue([NewJob(job_key="k") for _ in range(3)])
    lost = await kit.claim(2, "dead")
    (kept,) = await kit.claim(1, "alive")
    assert await kit.engine.rescue(["dead", "never seen"]) == [claim.id for claim in lost]
    again = await kit.claim(5, "alive")
    assert [(claim.id, claim.attempt) for claim in again] == [(claim.id, 2) for claim in lost]
    first, _ = await kit.engine.attempts(lost[0].id)
    assert (first.worker, first.outcome, first.attempt) == ("dead", "worker died", 1)
    assert (await kit.engine.get(kept.id)).claimed_by == "alive"


async def test_a_job_that_kills_its_workers_ends_as_failed(kit):
    job_id = await kit.add(max_attempts=2)
    for worker in ("first", "second"):
        assert (await kit.claim_one(worker)).id == job_id
        await kit.engine.rescue([worker])
    job = await kit.engine.get(job_id)
    assert (job.status, job.attempts, job.finished_at) == (BackgroundJobStatus.FAILED, 2, kit.time.now)
    assert job.last_error.startswith("worker died")
    assert [attempt.outcome for attempt in await kit.engine.attempts(job_id)] == ["worker died"] * 2


async def test_a_job_with_a_cancellation_request_is_cancelled_when_its_worker_dies(kit):
    job_id = await kit.add()
    await kit.claim_one("dead")
    await kit.engine.request_cancel(job_id)
    await kit.engine.rescue(["dead"])
    assert (await kit.engine.get(job_id)).status is BackgroundJobStatus.CANCELLED


async def test_jobs_of_a_hung_worker_run_again_after_the_lease(kit):
    job_id = await kit.add()
    await kit.claim_one("hung")
    other = await kit.another()
    assert await other.rescue_expired() == []
    kit.time.advance(seconds=29)
    assert await other.rescue_expired() == []
    kit.time.advance(seconds=1)
    assert await other.rescue_expired() == [job_id]
    (attempt,) = await kit.engine.attempts(job_id)
    assert attempt.outcome == "lease expired"


async def test_a_heartbeat_extends_the_lease(kit):
    await kit.add()
    claim = await kit.claim_one("busy")
    for _ in range(5):
        assert await kit.engine.rescue_expired() == []
        kit.time.advance(seconds=20)
        await kit.engine.heartbeat("busy")
    assert (await kit.engine.get(claim.id)).lease_expires_at == kit.time.now + timedelta(seconds=30)


async def test_a_change_of_the_wall_clock_rescues_no_job(kit):
    await kit.add()
    await kit.claim_one("alive")
    for jump in (timedelta(days=1), timedelta(days=-2)):
        kit.time.now += jump
        kit.time.ticks += 5
        assert await kit.engine.rescue_expired() == []


async def test_a_change_of_the_wall_clock_does_not_hide_a_hung_worker(kit):
    job_id = await kit.add()
    await kit.claim_one("hung")
    await kit.engine.rescue_expired()
    kit.time.now -= timedelta(days=1)
    kit.time.ticks += 30
    assert await kit.engine.rescue_expired() == [job_id]


async def test_a_job_set_to_running_manually_is_not_rescued(kit):
    job_id = await kit.add()
    await kit.engine.move(job_id, BackgroundJobStatus.RUNNING)
    await kit.engine.rescue_expired()
    kit.time.advance(seconds=30)
    assert await kit.engine.rescue_expired() == [job_id]
    assert (await kit.claim_one()).attempt == 2


async def test_workers_register_report_and_unregister(kit):
    now = kit.time.now
    await kit.add()
    worker = WorkerRecord(id="w1", pid=42, host="here", started_at=now, heartbeat_at=now)
    await kit.engine.register_worker(worker)
    claim = await kit.claim_one("w1")
    kit.time.advance(seconds=10)
    assert await kit.engine.heartbeat("w1", title="App", content="step 2 of 5") == frozenset()
    (stored,) = await kit.engine.workers()
    assert (stored.pid, stored.host, stored.started_at, stored.heartbeat_at) == (42, "here", now, kit.time.now)
    assert (stored.notification_title, stored.notification_content) == ("App", "step 2 of 5")
    await kit.engine.heartbeat("w1")
    assert (await kit.engine.workers())[0].notification_title == "App"
    await kit.engine.request_cancel(claim.id)
    assert await kit.engine.heartbeat("w1") == await kit.engine.cancel_requested("w1") == {claim.id}
    await kit.engine.unregister_worker("w1")
    assert await kit.engine.workers() == []
    assert await kit.engine.claimants() == {"w1"}
