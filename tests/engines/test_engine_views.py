"""Streams and waiting, on every engine, with changes that another connection commits."""

import asyncio
from datetime import timedelta

import pytest
from reactivex import operators as ops

from tests.support.streams import Seen
from tests.support.waiting import until
from tetherpy.jobs import (
    Ack,
    BackgroundJobManager,
    BackgroundJobStatus,
    Completed,
    JobCounts,
    JobNotFoundError,
    JobQuery,
    JobWaitTimeoutError,
    NewJob,
    Progress,
)

PENDING, COMPLETED = BackgroundJobStatus.PENDING, BackgroundJobStatus.COMPLETED


async def finish(engine, claims):
    await engine.ack_and_fetch("w1", [Ack(claim, Completed()) for claim in claims], 0)


async def test_a_job_stream_emits_the_job_and_each_change_by_another_process(kit):
    other = await kit.another()
    job_id = await kit.add()
    seen = Seen(kit.manager.watch_job(job_id))
    await seen.until(lambda job: job.status is PENDING)
    (claim,) = (await other.ack_and_fetch("w1", [], 1)).claims
    await seen.until(lambda job: job.status is BackgroundJobStatus.RUNNING)
    await other.report_progress([Progress(claim, 0.5, "half")])
    await seen.until(lambda job: job.progress == 0.5)
    await finish(other, [claim])
    await seen.until(lambda job: job.status is COMPLETED)
    await other.delete(job_id)
    await seen.until(lambda job: job is None)
    assert len(seen.values) == 5
    seen.subscription.dispose()


async def test_the_stream_of_an_unknown_job_emits_none_until_the_job_exists(kit):
    seen = Seen(kit.manager.watch_job(1))
    await seen.until(lambda job: job is None)
    job_id = await kit.add()
    assert job_id == 1
    await seen.until(lambda job: job is not None)
    seen.subscription.dispose()


async def test_a_job_is_followed_until_it_has_finished(kit):
    job_id = await kit.add()
    seen = []
    async with asyncio.timeout(25):
        async for job in kit.manager.follow_job(job_id):
            seen.append(job.status)
            if job.status is PENDING:
                (claim,) = (await kit.engine.ack_and_fetch("w1", [], 1)).claims
            elif job.status is not COMPLETED:
                await finish(kit.engine, [claim])
        assert seen == [PENDING, BackgroundJobStatus.RUNNING, COMPLETED]
        assert [job.status async for job in kit.manager.follow_job(job_id)] == [COMPLETED]
        await kit.manager.delete_job(job_id)
        with pytest.raises(JobNotFoundError):
            [job async for job in kit.manager.follow_job(job_id)]
    await until(lambda: kit.manager._hub.is_idle)


async def test_a_list_by_status_is_limited_ordered_and_updated(kit):
    other = await kit.another()
    ids = await kit.engine.enqueue([NewJob(job_key="k") for _ in range(5)])
    newest = Seen(kit.manager.watch_jobs_by_status(PENDING, limit=2))
    oldest = Seen(kit.manager.watch_jobs_by_status(PENDING, limit=2, order_by_creation="ASC"))
    await newest.until(lambda jobs: [job.id for job in jobs] == ids[:2:-1])
    await oldest.until(lambda jobs: [job.id for job in jobs] == ids[:2])
    (claim,) = (await other.ack_and_fetch("w1", [], 1)).claims
    await oldest.until(lambda jobs: [job.id for job in jobs] == ids[1:3])
    assert len(newest.values) == 1
    newest.subscription.dispose()
    oldest.subscription.dispose()
    await finish(other, [claim])


async def test_counts_are_correct_after_ten_thousand_jobs_finish(kit):
    other = await kit.another()
    counts = Seen(kit.manager.watch_counts())
    finished = Seen(kit.manager.watch_jobs_by_status(COMPLETED, limit=3))
    ids = await kit.engine.enqueue([NewJob(job_key="k") for _ in range(10_000)])
    acks: list[Ack] = []
    while True:
        ack_and_fetch = await other.ack_and_fetch("w1", acks, 100)
        acks = [Ack(claim, Completed()) for claim in ack_and_fetch.claims]
        if not acks:
            break
    await counts.until(lambda seen: seen == JobCounts(completed=10_000))
    await finished.until(lambda jobs: [job.id for job in jobs] == ids[:-4:-1])
    assert len(counts.values) < 1000
    counts.subscription.dispose()
    finished.subscription.dispose()


async def test_subscribers_share_a_query_and_release_it(kit):
    manager = kit.manager
    asked = []
    ask = kit.engine.find

    class Counting:
        def __getattr__(self, name):
            return getattr(kit.engine, name)

        async def find(self, query):
            asked.append(query)
            return await ask(query)

    manager._hub.store = Counting()
    streams = [Seen(manager.watch_jobs_by_status(PENDING)) for _ in range(50)]
    for seen in streams:
        await seen.until(lambda jobs: jobs == [])
    assert len(asked) == 1
    await kit.add()
    for seen in streams:
        await seen.until(lambda jobs: len(jobs) == 1)
    assert len(asked) == 2
    late = Seen(manager.watch_jobs_by_status(PENDING))
    assert [len(jobs) for jobs in late.values] == [1]
    for seen in [*streams, late]:
        seen.subscription.dispose()
    await until(lambda: manager._hub.is_idle)
    await kit.add()
    assert len(asked) == 2


async def test_a_subscriber_may_unsubscribe_while_it_is_called(kit):
    manager = kit.manager
    stream = manager.watch_counts()
    first = asyncio.get_running_loop().create_future()
    holder = {}

    def take(counts):
        if not first.done():
            first.set_result(counts)
        if "it" in holder:
            holder["it"].dispose()

    holder["it"] = stream.subscribe(take)
    await first
    again = Seen(stream)
    await kit.add()
    await again.until(lambda counts: counts.pending == 1)
    again.subscription.dispose()


async def test_an_error_in_one_subscriber_does_not_affect_the_others(kit):
    reported = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))

    def fail(counts):
        raise RuntimeError("bad subscriber")

    bad = kit.manager.watch_counts().subscribe(fail)
    good = Seen(kit.manager.watch_counts())
    await kit.add()
    await good.until(lambda counts: counts.pending == 1)
    assert all(str(error) == "bad subscriber" for error in reported)
    assert reported
    bad.dispose()
    good.subscription.dispose()


async def test_an_error_of_the_store_ends_the_stream_with_that_error(kit):
    class Broken:
        def __getattr__(self, name):
            return getattr(kit.engine, name)

        async def counts(self):
            raise OSError("disk gone")

    kit.manager._hub.store = Broken()
    seen = Seen(kit.manager.watch_counts())
    assert str(await seen.until_it_ends()) == "disk gone"
    assert seen.values == []


async def test_wait_returns_when_another_process_finishes_the_job(kit):
    other = await kit.another()
    job_id = await kit.add()
    waiting = [asyncio.create_task(kit.manager.wait_for(job_id, 25)) for _ in range(3)]
    claims = (await other.ack_and_fetch("w1", [], 1)).claims
    await finish(other, claims)
    assert {(await task).status for task in waiting} == {COMPLETED}
    assert (await kit.manager.wait_for(job_id)).status is COMPLETED


async def test_wait_accepts_many_jobs(kit):
    ids = await kit.engine.enqueue([NewJob(job_key="k") for _ in range(500)])
    waiting = asyncio.gather(*(kit.manager.wait_for(job_id, 25) for job_id in ids))
    other = await kit.another()
    while claims := (await other.ack_and_fetch("w1", [], 100)).claims:
        await finish(other, claims)
    assert [job.id for job in await waiting] == ids


async def test_wait_ends_at_its_timeout_on_deletion_and_for_unknown_jobs(kit):
    job_id = await kit.add()
    with pytest.raises(JobWaitTimeoutError) as raised:
        await kit.manager.wait_for(job_id, timedelta(milliseconds=50))
    with pytest.raises(JobWaitTimeoutError):
        await kit.manager.wait_for(job_id, 0)
    assert raised.value.status is PENDING
    with pytest.raises(JobNotFoundError):
        await kit.manager.wait_for(job_id + 1, 25)
    waiting = asyncio.create_task(kit.manager.wait_for(job_id, 25))
    await kit.engine.find(JobQuery())
    await kit.engine.delete(job_id)
    with pytest.raises(JobNotFoundError):
        await waiting


class FailsOnce:
    """An engine whose call fails once after its name was added to ``failing``."""

    def __init__(self, engine):
        self.engine, self.failing = engine, set()

    def __getattr__(self, name):
        call = getattr(self.engine, name)

        async def once(*args):
            if name in self.failing:
                self.failing.remove(name)
                raise OSError("once")
            return await call(*args)

        return once if name in ("find", "revisions") else call


@pytest.mark.parametrize("call", ["find", "revisions"])
async def test_a_stream_that_is_retried_after_an_error_emits_the_present_value(kit, call):
    store = FailsOnce(kit.engine)
    await kit.add()
    store.failing.add("find")
    jobs = Seen(BackgroundJobManager(store).watch_jobs(JobQuery()).pipe(ops.retry(5)))
    await jobs.until(lambda found: len(found) == 1)
    store.failing.add(call)
    there = 1
    while store.failing:
        await kit.add()
        there += 1
        await jobs.until(lambda found, there=there: len(found) == there)
    assert jobs.ends == []
    jobs.subscription.dispose()
