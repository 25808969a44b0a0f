import asyncio
from datetime import timedelta

from tetherpy.jobs import NewJob


async def test_one_job_per_tick_however_many_workers(kit):
    engines = [kit.engine, await kit.another(), await kit.another()]
    tick = kit.time.now
    job = NewJob(job_key="cleanup")
    ids = await asyncio.gather(*(engine.enqueue_tick("nightly", tick, job) for engine in engines * 4))
    assert len([job_id for job_id in ids if job_id is not None]) == 1
    assert (await kit.engine.counts()).pending == 1


async def test_names_and_ticks_are_told_apart(kit):
    job = NewJob(job_key="cleanup")
    tick = kit.time.now
    assert await kit.engine.enqueue_tick("a", tick, job) is not None
    assert await kit.engine.enqueue_tick("b", tick, job) is not None
    assert await kit.engine.enqueue_tick("a", tick + timedelta(minutes=1), job) is not None


async def test_a_clock_moved_back_does_not_repeat_a_tick(kit):
    job = NewJob(job_key="cleanup")
    tick = kit.time.now
    assert await kit.engine.enqueue_tick("a", tick, job) is not None
    assert await kit.engine.enqueue_tick("a", tick + timedelta(days=7), job) is not None
    assert await kit.engine.enqueue_tick("a", tick, job) is None
