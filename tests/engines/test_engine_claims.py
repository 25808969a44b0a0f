import asyncio
from datetime import timedelta

import pytest

from tetherpy.database import SchemaNewerError
from tetherpy.jobs import BackgroundJobStatus, NewJob


async def test_jobs_are_claimed_by_priority_then_run_at_then_id(kit):
    late = await kit.add("late")
    early = await kit.add("early", run_at=kit.time.now - timedelta(minutes=1))
    urgent = await kit.add("urgent", priority=5)
    late_too = await kit.add("late too")
    order = [claim.id for claim in await kit.claim(10)]
    assert order == [urgent, early, late, late_too]


async def test_the_claim_order_holds_across_queues_and_batches(kit):
    ids = [await kit.add(queue=queue, priority=p) for p, queue in ((1, "b"), (3, "a"), (2, "c"), (3, "b"))]
    claimed = [claim.id for _ in range(2) for claim in await kit.claim(2)]
    assert claimed == [ids[1], ids[3], ids[2], ids[0]]


async def test_a_worker_claims_only_from_the_queues_it_names(kit):
    await kit.add(queue="mail")
    mine = await kit.add(queue="images")
    assert [claim.id for claim in await kit.claim(5, queues=["images", "empty"])] == [mine]
    assert await kit.claim(5, queues=["images"]) == []


async def test_a_delayed_job_is_not_claimed_and_its_due_time_is_returned(kit):
    job_id = await kit.add(delay=60)
    idle = await kit.engine.ack_and_fetch("w1", [], 5)
    assert (idle.claims, idle.next_due) == ((), kit.time.now + timedelta(seconds=60))
    kit.time.advance(seconds=59)
    assert await kit.claim() == []
    kit.time.advance(seconds=1)
    due = await kit.engine.ack_and_fetch("w1", [], 5)
    assert [claim.id for claim in due.claims] == [job_id]
    assert due.next_due is None


async def test_a_claim_contains_the_job_the_attempt_and_the_lease(kit):
    job_id = await kit.add(payload=[1])
    claim = await kit.claim_one("w9")
    assert (claim.id, claim.worker_id, claim.attempt, claim.job.payload) == (job_id, "w9", 1, [1])
    stored = await kit.engine.get(job_id)
    assert stored == claim.job
    assert stored.status is BackgroundJobStatus.RUNNING
    assert stored.lease_expires_at == kit.time.now + timedelta(seconds=30)


async def test_concurrent_workers_never_claim_a_job_twice(kit):
    other = await kit.another()
    ids = await kit.engine.enqueue([NewJob(job_key="k") for _ in range(200)])
    asked = [engine.ack_and_fetch(f"w{n}", [], 7) for n, engine in enumerate([kit.engine, other] * 20)]
    claimed = [claim.id for ack_and_fetch in await asyncio.gather(*asked) for claim in ack_and_fetch.claims]
    assert sorted(claimed) == ids


async def test_a_worker_without_free_slots_claims_nothing(kit):
    await kit.add()
    assert await kit.claim(0) == []


async def test_a_newer_schema_is_refused_at_the_next_poll(kit):
    await kit.engine.refuse_newer()
    newer = "INSERT INTO tetherpy_migrations VALUES ('tetherpy.jobs', 99, 'later', '', '2030-01-01T00:00:00+00:00')"
    await kit.engine.db.execute(newer)
    try:
        with pytest.raises(SchemaNewerError):
            await kit.engine.refuse_newer()
    finally:
        await kit.engine.db.execute("DELETE FROM tetherpy_migrations WHERE version = 99")
