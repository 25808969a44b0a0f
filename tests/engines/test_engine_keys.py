"""Workers that accept only some job keys, and jobs that have no handler in any worker."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tetherpy.jobs import Ack, BackgroundJobStatus, NewJob, Released, WorkerRecord


async def test_a_worker_claims_only_the_job_keys_it_names(kit):
    unknown = await kit.add("new", priority=9)
    mine = await kit.add("old")
    assert [claim.id for claim in await kit.claim(5, keys=["old"])] == [mine]
    assert await kit.engine.unhandled() == {"new": 1}
    job = await kit.engine.get(unknown)
    assert (job.status, job.attempts) == (BackgroundJobStatus.PENDING, 0)
    assert [claim.id for claim in await kit.claim(5, "w2", keys=["old", "new"])] == [unknown]
    assert await kit.engine.unhandled() == {}


async def test_the_claim_order_includes_jobs_that_were_set_aside(kit):
    ids = [await kit.add(key, priority=priority) for key, priority in (("new", 1), ("new", 3), ("old", 2))]
    await kit.claim(5, queues=["default"], keys=["none"])
    assert await kit.engine.unhandled() == {"new": 2, "old": 1}
    ids += [await kit.add(key, priority=priority) for key, priority in (("new", 2), ("old", 4))]
    order = [claim.id for _ in range(5) for claim in await kit.claim(1, keys=["old", "new"])]
    assert order == [ids[4], ids[1], ids[2], ids[3], ids[0]]


async def test_a_claim_filters_by_queue_and_by_key(kit):
    await kit.add("new", queue="mail")
    mine = await kit.add("new", queue="images")
    await kit.claim(5, keys=["old"])
    assert [claim.id for claim in await kit.claim(5, queues=["images"], keys=["new"])] == [mine]
    assert await kit.claim(5, queues=["images"], keys=["new"]) == []
    assert (await kit.engine.ack_and_fetch("w1", [], 5, ["images"], ["new"])).next_due is None


async def test_a_worker_that_accepts_every_key_claims_jobs_that_were_set_aside(kit):
    ids = [await kit.add("new"), await kit.add("newer", delay=5)]
    await kit.claim(5, keys=[])
    kit.time.advance(seconds=5)
    await kit.claim(5, keys=[])
    assert await kit.engine.unhandled() == {"new": 1, "newer": 1}
    claims = await kit.claim(5)
    assert [claim.id for claim in claims] == ids
    await kit.engine.ack_and_fetch("w1", [Ack(claim, Released()) for claim in claims], 0)
    assert await kit.engine.unhandled() == {}
    assert [claim.id for claim in await kit.claim(5)] == ids


async def test_many_jobs_without_a_handler_are_set_aside_in_bounded_steps(kit):
    await kit.engine.enqueue([NewJob(job_key="new", priority=1) for _ in range(2_500)])
    mine = await kit.add("old")
    claimed = [claim.id for _ in range(5) for claim in await kit.claim(1, keys=["old"])]
    assert claimed == [mine]
    assert await kit.engine.unhandled() == {"new": 2_500}


async def test_only_jobs_of_the_given_keys_fail_for_lack_of_a_handler(kit):
    ids = [await kit.add(key) for key in ("new", "newer", "new")]
    running = await kit.add("new")
    await kit.claim(5, keys=["none"])
    (claim,) = await kit.claim(1, keys=["new"])
    ids = [job_id for job_id in (*ids, running) if job_id != claim.id]
    told = asyncio.Event()
    remove = kit.engine.on_change(told.set)
    assert await kit.engine.fail_unhandled("new", "nobody knows new") == 2
    async with asyncio.timeout(10):
        await told.wait()
    remove()
    jobs = await kit.engine.get_many(ids)
    failed = [job for job in jobs.values() if job.status is BackgroundJobStatus.FAILED]
    assert {job.job_key for job in failed} == {"new"}
    assert {job.last_error for job in failed} == {"nobody knows new"}
    assert all(job.finished_at == kit.time.now for job in failed)
    assert await kit.engine.unhandled() == {"newer": 1}
    again = await kit.engine.retry(failed[0].id, reset_attempts=False)
    assert [claim.id for claim in await kit.claim(5, keys=["new"])] == [again.id]


async def test_a_job_that_was_set_aside_is_cancelled_at_once(kit):
    job_id = await kit.add("new")
    await kit.claim(5, keys=["none"])
    assert (await kit.engine.request_cancel(job_id)).status is BackgroundJobStatus.CANCELLED
    assert await kit.engine.unhandled() == {}
    assert await kit.claim(5, keys=["new"]) == []


async def test_the_newest_hundred_attempts_of_a_job_are_stored(kit):
    job_id = await kit.add("poll")
    for _ in range(105):
        (claim,) = await kit.claim(1)
        await kit.engine.ack_and_fetch("w1", [Ack(claim, Released())], 0)
        kit.time.advance(seconds=1)
    attempts = await kit.engine.attempts(job_id)
    assert len(attempts) == 100
    assert attempts[-1].finished_at == kit.time.now - timedelta(seconds=1)
    assert [attempt.finished_at for attempt in attempts] == sorted(attempt.finished_at for attempt in attempts)


async def test_delayed_jobs_of_every_priority_and_queue_do_not_count_as_due(kit):
    await kit.engine.enqueue([NewJob(job_key="k", priority=n, queue=f"q{n}", delay=60) for n in range(300)])
    assert await kit.claim(10) == []
    kit.time.advance(seconds=60)
    assert [claim.job.priority for claim in await kit.claim(3)] == [299, 298, 297]


def worker(name, keys):
    now = datetime(2030, 1, 1, tzinfo=UTC)
    return WorkerRecord(id=name, pid=1, host="here", started_at=now, heartbeat_at=now, job_keys=keys)


@pytest.mark.parametrize("keys", [frozenset({"new", "other"}), None], ids=["this key", "every key"])
async def test_a_handler_registered_in_time_keeps_its_jobs_from_failing(kit, keys):
    """A worker that reads the registered keys early may not know of a worker that registers later."""
    await kit.add("new")
    await kit.claim(5, keys=["none"])
    other = await kit.another()
    await other.register_worker(worker("w2", keys))
    assert await kit.engine.fail_unhandled("new", "nobody knows new") == 0
    await other.unregister_worker("w2")
    assert await kit.engine.fail_unhandled("new", "nobody knows new") == 1


async def test_a_heartbeat_stores_the_keys_of_handlers_that_were_registered_late(kit):
    await kit.engine.register_worker(worker("w2", frozenset({"old"})))
    await kit.engine.heartbeat("w2")
    (record,) = await kit.engine.workers()
    assert record.job_keys == {"old"}
    await kit.engine.heartbeat("w2", job_keys=frozenset({"old", "new"}))
    (record,) = await kit.engine.workers()
    assert record.job_keys == {"old", "new"}
