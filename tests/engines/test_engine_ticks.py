import asyncio
from datetime import timedelta

from tetherpy.jobs import Ack, Completed, NewJob


async def test_many_workers_enqueue_one_job_per_tick(kit):
    engines = [kit.engine, await kit.another(), await kit.another()]
    tick = kit.time.now
    job = NewJob(job_key="cleanup")
    ids = await asyncio.gather(*(engine.enqueue_tick("nightly", tick, job) for engine in engines * 4))
    assert len([job_id for job_id in ids if job_id is not None]) == 1
    assert (await kit.engine.counts()).pending == 1


async def test_schedules_with_different_names_have_separate_ticks(kit):
    job = NewJob(job_key="cleanup")
    tick = kit.time.now
    assert await kit.engine.enqueue_tick("a", tick, job) is not None
    assert await kit.engine.enqueue_tick("b", tick, job) is not None
    assert await kit.engine.enqueue_tick("a", tick + timedelta(minutes=1), job) is not None


async def test_a_clock_that_moves_backwards_repeats_no_tick(kit):
    job = NewJob(job_key="cleanup")
    tick = kit.time.now
    assert await kit.engine.enqueue_tick("a", tick, job) is not None
    assert await kit.engine.enqueue_tick("a", tick + timedelta(days=7), job) is not None
    assert await kit.engine.enqueue_tick("a", tick, job) is None


async def test_the_newest_tick_is_stored_and_starts_with_the_first_one_given(kit):
    another = await kit.another()
    job, hour, tick = NewJob(job_key="cleanup"), timedelta(hours=1), kit.time.now
    assert await kit.engine.newest_tick("nightly", tick) == tick
    assert await another.newest_tick("nightly", tick + hour) == tick
    assert (await kit.engine.counts()).total == 0
    assert await kit.engine.enqueue_tick("nightly", tick, job) is None
    assert await kit.engine.enqueue_tick("nightly", tick + 2 * hour, job) is not None
    assert await another.newest_tick("nightly", tick + 9 * hour) == tick + 2 * hour
    assert await another.newest_tick("hourly", tick + hour) == tick + hour


async def test_a_tick_enqueues_nothing_while_the_job_with_its_unique_key_is_active(kit):
    job, hour, tick = NewJob(job_key="cleanup", unique_key="cleanup"), timedelta(hours=1), kit.time.now
    first = await kit.engine.enqueue_tick("nightly", tick, job)
    assert await kit.engine.enqueue_tick("nightly", tick + hour, job) == first
    claim = await kit.claim_one()
    assert await kit.engine.enqueue_tick("nightly", tick + 2 * hour, job) == first
    await kit.engine.ack_and_fetch("w1", [Ack(claim, Completed(None))], 0, None)
    assert await kit.engine.enqueue_tick("nightly", tick + 3 * hour, job) not in (None, first)
