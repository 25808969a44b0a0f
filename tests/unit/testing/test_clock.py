"""The fixture ``clock``: time that passes only when the test advances it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

import providers
from tetherpy import FutureProvider, Provider, StreamProvider, exponential_retry
from tetherpy.jobs import BackgroundJobManager, Backoff
from tetherpy.testing import Clock, ClockError, ForeignClockError, StuckJobsError


def ignore(previous, value):
    pass


async def test_the_clock_starts_at_the_first_of_january_2000_and_stands_still(clock):
    assert clock.now() == datetime(2000, 1, 1, tzinfo=UTC)
    loop = asyncio.get_running_loop()
    before = loop.time()
    await clock.advance(timedelta(hours=1))
    assert loop.time() - before == pytest.approx(3600)
    assert repr(clock) == "<Clock at 2000-01-01T01:00:00+00:00>"
    assert clock.now() == datetime(2000, 1, 1, 1, tzinfo=UTC)
    await clock.advance_to(datetime(2000, 2, 29, tzinfo=UTC))
    assert clock.now() == datetime(2000, 2, 29, tzinfo=UTC)


async def test_sleeps_end_in_order_at_their_time(clock):
    order = []

    async def sleeper(seconds, then=0.0):
        await asyncio.sleep(seconds)
        order.append((seconds, clock.elapsed.total_seconds()))
        if then:
            await asyncio.sleep(then)
            order.append((then, clock.elapsed.total_seconds()))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(sleeper(3))
        tasks.create_task(sleeper(1, then=0.1))
        tasks.create_task(sleeper(2.5))
        await clock.advance(0.999_999)
        assert order == []
        await clock.advance(5)
    assert order == [(1, 1.0), (0.1, 1.1), (2.5, 2.5), (3, 3.0)]


async def test_time_does_not_run_backwards(clock):
    with pytest.raises(ValueError, match="advance is -1; it cannot be negative"):
        await clock.advance(-1)


async def test_a_loop_that_never_idles_is_an_error(clock, monkeypatch):
    async def spin():
        while True:
            await asyncio.sleep(0)

    monkeypatch.setattr("tetherpy.testing.idle_loop.MOST_STEPS", 100)
    spinning = asyncio.create_task(spin())
    with pytest.raises(ClockError, match="calls itself again"):
        await clock.advance(1)
    spinning.cancel()


async def test_timers_without_end_are_an_error(clock, monkeypatch):
    def again():
        timers[0] = asyncio.get_running_loop().call_later(0.001, again)

    monkeypatch.setattr("tetherpy.testing.clock.MOST_STEPS", 100)
    timers = [None]
    again()
    with pytest.raises(ClockError, match="100 timers"):
        await clock.advance(1)
    timers[0].cancel()


async def test_the_loop_has_its_own_time_again_when_the_clock_is_released():
    loop = asyncio.get_running_loop()
    clock = Clock()
    clock.drive(loop)
    await clock.advance(1_000_000)
    assert loop.time() > 1_000_000
    clock.release()
    assert "time" not in vars(loop)
    assert "select" not in vars(loop._selector)
    await asyncio.sleep(0.001)


def test_a_test_that_waits_for_time_without_advancing_it_fails(suite):
    result = suite(
        """
        import asyncio

        async def test_sleeps(clock, jobs):
            clock.real_time_limit = 0.1
            await jobs.enqueue("what threads do goes on")
            await asyncio.sleep(1)

        async def test_waits_for_something_else(clock):
            clock.real_time_limit = 5
            asyncio.get_running_loop().call_later(1, print)
            await asyncio.to_thread(__import__("time").sleep, 0.001)
        """
    )
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        ["E   *ClockError: The test has waited for 0.1 s without an event. *await clock.advance*"]
    )


def test_the_clock_controls_one_loop():
    clock = Clock()

    async def main():
        await clock.advance(1)

    asyncio.run(main())
    with pytest.raises(ClockError, match="another event loop"):
        asyncio.run(main())


class Foreign:
    def time(self):
        return 0.0


def test_the_clock_controls_loops_of_asyncio_only():
    with pytest.raises(ClockError, match="Foreign is none"):
        Clock().drive(Foreign())


# -- providers ---------------------------------------------------------------------------------------


async def test_the_clock_controls_cache_for_and_auto_dispose(container, clock):
    ended = []

    @Provider.auto_dispose
    def cached(ref):
        ref.cache_for(30)
        ref.on_dispose(lambda: ended.append(clock.elapsed))
        return 1

    with container.listen(cached, ignore):
        await clock.advance(100)
    await clock.advance(29.9)
    assert ended == []
    await clock.advance(0.1)
    assert ended == [timedelta(seconds=130)]


async def test_the_clock_controls_retries(make_container, clock):
    tried = []

    @FutureProvider
    async def flaky(ref):
        tried.append(clock.elapsed.total_seconds())
        if len(tried) < 4:
            raise OSError("not yet")
        return "there"

    container = make_container(retry=exponential_retry)
    with container.listen(flaky, ignore):
        await clock.advance(10)
        assert await container.read(flaky.future) == "there"
    assert tried == pytest.approx([0, 0.2, 0.6, 1.4], abs=1e-5)


async def test_the_clock_controls_sleeps_in_providers(container, clock):
    @StreamProvider
    async def ticks(ref):
        for tick in range(3):
            yield tick
            await asyncio.sleep(60)

    seen = []
    with container.listen(ticks, lambda previous, value: seen.append(value.value)):
        await clock.advance(59)
        assert seen == [0]
        await clock.advance(61)
        assert seen == [0, 1, 2]


# -- jobs --------------------------------------------------------------------------------------------


async def test_the_clock_controls_delays_and_backoff(jobs, clock):
    ran = []

    def fail(service, payload, db):
        ran.append(clock.elapsed)
        raise ValueError

    jobs.register("fail", fail, retry=Backoff(initial=timedelta(minutes=1), factor=2, jitter=0))
    await jobs.enqueue("fail", delay=timedelta(hours=1))
    assert await jobs.drain() == []
    await clock.advance(timedelta(minutes=59, seconds=59))
    assert await jobs.drain() == []
    await clock.advance(1)
    assert (await jobs.drain()).statuses == ["PENDING"]
    await clock.advance(59)
    assert await jobs.drain() == []
    await clock.advance(1)
    assert len(await jobs.drain()) == 1
    await clock.advance(timedelta(minutes=2))
    assert (await jobs.drain()).statuses == ["FAILED"]
    assert ran == [timedelta(hours=1), timedelta(minutes=61), timedelta(minutes=63)]
    (job,) = jobs.enqueued()
    assert job.finished_at == clock.now()


async def test_the_clock_controls_periodic_jobs_and_enqueues_every_tick(jobs, clock):
    async def initialize(service):
        service.register_job_handler("clean", lambda service, payload, db: payload)
        service.register_job_handler("poll", lambda service, payload, db: payload)
        service.register_periodic_job("nightly", cron="0 3 * * *", job_key="clean", payload="all")
        service.register_periodic_job("often", every=timedelta(hours=6), job_key="poll")

    await jobs.initialize(initialize)
    await clock.advance(timedelta(hours=2, minutes=59))
    assert jobs.enqueued() == []
    await clock.advance(timedelta(minutes=1))
    assert jobs.enqueued("clean").payloads == ["all"]
    await clock.advance(timedelta(days=10))
    assert len(jobs.enqueued("clean")) == 11
    assert [job.created_at.hour for job in jobs.enqueued("poll")[:4]] == [6, 12, 18, 0]
    ran = await jobs.drain()
    assert set(ran.statuses) == {"COMPLETED"}
    assert len(ran) == 11 + 40


async def test_a_handler_that_sleeps_or_times_out_needs_an_advance(jobs, clock):
    async def sleep(service, payload, db):
        await asyncio.sleep(payload)
        return payload

    jobs.register("sleep", sleep, timeout=60)
    await jobs.enqueue("sleep", 59, max_attempts=1)
    await jobs.enqueue("sleep", 61, max_attempts=1)
    draining = asyncio.create_task(jobs.drain())
    await clock.advance(58)
    assert jobs.enqueued().statuses == ["RUNNING", "PENDING"]
    await clock.advance(1)
    assert jobs.enqueued().statuses == ["COMPLETED", "RUNNING"]
    await clock.advance(60)
    assert (await draining).statuses == ["COMPLETED", "FAILED"]
    assert "JobTimeoutError" in jobs.enqueued()[1].last_error


async def test_without_an_advance_drain_reports_what_is_missing(jobs, clock, limit_starts):
    async def sleep(service, payload, db):
        limit_starts.set()
        await asyncio.sleep(1)

    jobs.real_time_limit = 0.05
    jobs.register("sleep", sleep)
    await jobs.enqueue("sleep")
    with pytest.raises(StuckJobsError, match=r"await clock\.advance"):
        await jobs.drain()


async def test_a_manager_with_another_clock_is_named(make_container, jobs, clock):
    container = make_container(overrides=jobs.overrides(database=providers.database_provider))
    await container.read(providers.database_provider.future)
    await container.read(providers.background_job_manager_provider).enqueue("later", delay=60)
    with pytest.raises(ForeignClockError, match=r"manager=background_job_manager_provider"):
        await jobs.drain()


async def test_an_overridden_manager_of_the_app_uses_the_clock(make_container, jobs, clock):
    container = make_container(
        overrides=jobs.overrides(
            database=providers.database_provider, manager=providers.background_job_manager_provider
        )
    )
    await container.read(providers.database_provider.future)
    manager: BackgroundJobManager = container.read(providers.background_job_manager_provider)
    jobs.register("later", lambda service, payload, db: payload)
    await manager.enqueue("later", delay=60)
    assert await jobs.drain() == []
    await clock.advance(60)
    assert len(await jobs.drain()) == 1


async def test_progress_and_live_queries_work_with_the_clock(make_container, jobs, clock):
    container = make_container(overrides=jobs.overrides(database=providers.database_provider))
    await container.read(providers.database_provider.future)
    jobs.register("work", lambda service, payload, db: payload)
    counts = []
    with container.listen(providers.job_counts_stream_provider, lambda previous, value: counts.append(value.value)):
        await clock.advance(0)
        for number in range(20):
            await jobs.enqueue("work", number)
            await jobs.drain()
        await clock.advance(1)
    assert counts[-1].completed == 20


async def test_advancing_a_day_is_fast_although_streams_have_listeners(make_container, jobs, clock):
    container = make_container(overrides=jobs.overrides(database=providers.database_provider))
    await container.read(providers.database_provider.future)
    with container.listen(providers.job_counts_stream_provider, ignore):
        steps = []
        clock.idle.wait_for(lambda: bool(steps.append(clock.elapsed)))
        await clock.advance(24 * 3600)
    assert len(set(steps)) < 100
