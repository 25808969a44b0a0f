"""Recent jobs as a timeline, on every engine: enough to draw depth, throughput, durations and waiting."""

from datetime import timedelta

from tetherpy.jobs import Ack, BackgroundJobStatus, Completed, Failed, JobTimes, NewJob

COMPLETED, FAILED, PENDING, RUNNING = (
    BackgroundJobStatus.COMPLETED,
    BackgroundJobStatus.FAILED,
    BackgroundJobStatus.PENDING,
    BackgroundJobStatus.RUNNING,
)
HOUR = timedelta(hours=1)


async def run_one(kit, outcome, seconds):
    claim = await kit.claim_one()
    kit.time.advance(seconds=seconds)
    await kit.engine.ack_and_fetch("w1", [Ack(claim, outcome)], 0)


async def test_an_empty_database_has_an_empty_timeline(kit):
    timeline = await kit.engine.timeline(kit.time.now - HOUR, 10)
    assert timeline.jobs == ()
    assert (timeline.since, timeline.until) == (kit.time.now - HOUR, kit.time.now)
    assert (timeline.unfinished, timeline.oldest_pending) == (0, None)


async def test_the_timeline_has_the_jobs_enqueued_or_finished_in_its_interval(kit):
    start = kit.time.now
    await kit.add("long ago")
    await run_one(kit, Completed(), 1)
    await kit.add("finishes later")
    await kit.add("waits since long ago")
    kit.time.advance(hours=2)
    since = kit.time.now
    await run_one(kit, Failed("no"), 5)
    kit.time.advance(seconds=10)
    await kit.add("new")
    timeline = await kit.engine.timeline(since, 10)
    assert set(timeline.jobs) == {
        JobTimes(start + timedelta(seconds=1), since, since + timedelta(seconds=5), FAILED),
        JobTimes(since + timedelta(seconds=15), None, None, PENDING),
    }
    assert timeline.since == since
    assert timeline.unfinished == 2
    assert timeline.oldest_pending == start + timedelta(seconds=1)
    assert timeline.durations() == [timedelta(seconds=5)]


async def test_a_job_that_is_not_due_has_no_waiting_time(kit):
    await kit.add(delay=100)
    assert (await kit.engine.timeline(kit.time.now - HOUR, 10)).oldest_pending is None
    kit.time.advance(seconds=5)
    await kit.add()
    assert (await kit.engine.timeline(kit.time.now - HOUR, 10)).oldest_pending == kit.time.now


async def test_the_interval_is_shortened_if_too_many_jobs_were_enqueued(kit):
    start = kit.time.now
    for _ in range(5):
        kit.time.advance(seconds=1)
        await kit.add()
    timeline = await kit.engine.timeline(start, 3)
    assert timeline.since == start + timedelta(seconds=2)
    assert [job.created_at - start for job in timeline.jobs] == [timedelta(seconds=n) for n in (5, 4, 3)]
    assert timeline.unfinished == 5


async def test_the_interval_is_shortened_if_too_many_jobs_finished(kit):
    for _ in range(5):
        await kit.add()
    kit.time.advance(hours=1)
    since = kit.time.now
    for _ in range(5):
        await run_one(kit, Completed(), 1)
    timeline = await kit.engine.timeline(since, 3)
    assert timeline.since == since + timedelta(seconds=2)
    assert sorted(job.finished_at - since for job in timeline.jobs) == [timedelta(seconds=n) for n in (3, 4, 5)]


async def test_the_timeline_reads_jobs_in_several_batches(kit):
    start = kit.time.now
    for _ in range(4):
        kit.time.advance(seconds=1)
        await kit.engine.enqueue([NewJob(job_key="k") for _ in range(400)])
    claims = await kit.claim(1200)
    kit.time.advance(seconds=1)
    await kit.engine.ack_and_fetch("w1", [Ack(claim, Completed()) for claim in claims], 0)
    before = await kit.engine.timeline(start, 10_000)
    assert (len(before.jobs), before.unfinished) == (1600, 400)
    after = await kit.engine.timeline(start + timedelta(seconds=4), 10_000)
    assert (len(after.jobs), after.unfinished) == (1200, 400)


async def test_workers_are_visible_in_any_process(kit):
    assert await kit.manager.get_workers() == []
