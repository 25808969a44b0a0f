"""``jobs.drain(advance=True)``: the clock moves whenever all that runs only waits for time."""

import asyncio
import threading
from datetime import timedelta

import aiosqlite
import pytest

from tetherpy.durable import JobProvider
from tetherpy.jobs import BackgroundJobManager, Backoff, Snooze, background_job
from tetherpy.reactive import FutureProvider
from tetherpy.testing import EndlessJobsError, StuckJobsError, TestingArgumentError
from tetherpy.testing.clock import START

manager_provider = FutureProvider[BackgroundJobManager](lambda ref: BackgroundJobManager.open("app.db"))


@pytest.fixture
def provider_overrides(jobs):
    return jobs.overrides(manager=manager_provider)


async def test_retries_delays_and_snoozes_need_no_real_time(jobs, clock):
    @background_job("charge", retry=Backoff(initial=60, maximum=86_400, factor=10, jitter=0), max_attempts=4)
    async def charge(service, payload: None, db) -> str:
        if service.job.attempts < 4:
            raise ConnectionError("no route")
        return f"charged after {clock.elapsed}"

    @background_job("await parcel")
    def await_parcel(service, payload: None, db) -> str:
        if clock.elapsed < timedelta(hours=3):
            raise Snooze(timedelta(hours=2))
        return f"there after {clock.elapsed}"

    await jobs.enqueue(charge)
    await jobs.enqueue(await_parcel, delay=timedelta(days=30))
    await jobs.enqueue(await_parcel)
    ran = await jobs.drain(advance=True)
    assert ran.results == ["charged after 1:51:00", "there after 30 days, 0:00:00", "there after 4:00:00"]
    assert clock.now() == START + timedelta(days=30)


async def test_handlers_that_sleep_at_the_same_time_end_in_the_order_of_their_times(jobs, clock):
    jobs.concurrency = 3
    ended = []

    @background_job("nap")
    async def nap(service, payload: int, db) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(payload / 2))
            group.create_task(asyncio.sleep(payload))
        ended.append((payload, clock.elapsed.total_seconds()))

    for seconds in (300, 100, 200):
        await jobs.enqueue(nap, seconds)
    await jobs.drain(advance=True)
    assert ended == [(100, 100), (200, 200), (300, 300)]


async def test_a_timeout_ends_a_handler_that_waits_for_nothing(jobs, clock):
    @background_job("wait", timeout=3600, max_attempts=1)
    async def wait(service, payload: None, db) -> None:
        await asyncio.Event().wait()

    await jobs.enqueue(wait)
    (job,) = await jobs.drain(advance=True)
    assert "JobTimeoutError" in job.last_error
    assert clock.elapsed == timedelta(hours=1)


async def in_an_executor(go_on):
    return await asyncio.to_thread(go_on.wait, 5)


async def on_a_connection(go_on):
    async def answer(reader, writer):
        writer.write((await reader.readline()).upper())
        writer.close()

    async with await asyncio.start_server(answer, "localhost", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        writer.write(b"hello\n")
        answered = await reader.read()
        writer.close()
        return answered == b"HELLO\n"


async def in_a_thread_of_a_library(go_on):
    async with aiosqlite.connect(":memory:") as connection:
        return (await (await connection.execute("SELECT 1")).fetchone()) == (1,)


@pytest.mark.parametrize("work", [in_an_executor, on_a_connection, in_a_thread_of_a_library])
async def test_the_clock_stands_still_while_a_handler_works_outside_the_loop(jobs, clock, work):
    go_on = threading.Event()

    @background_job("work", timeout=10, max_attempts=1)
    async def handler(service, payload: None, db) -> bool:
        return await work(go_on)

    await jobs.enqueue(handler)
    threading.Timer(0.3, go_on.set).start()
    assert (await jobs.drain(advance=True)).results == [True]
    assert clock.elapsed == timedelta(0)


async def test_periodic_jobs_run_at_their_ticks_until_the_last_delayed_job_is_done(jobs, clock):
    ticks = []

    @background_job("digest")
    async def digest(service, payload: None, db) -> None:
        ticks.append(clock.elapsed)

    @background_job("invoice")
    async def invoice(service, payload: None, db) -> None: ...

    await jobs.initialize(lambda service: service.register_periodic_job("hourly", digest, every=timedelta(hours=1)))
    await jobs.enqueue(invoice, delay=timedelta(hours=3, minutes=30))
    await jobs.drain(advance=True)
    assert ticks == [timedelta(hours=hour) for hour in (1, 2, 3)]


async def test_a_job_that_snoozes_for_ever_is_an_error(jobs, clock):
    @background_job("again")
    async def again(service, payload: None, db) -> None:
        raise Snooze(3600)

    await jobs.enqueue(again)
    with pytest.raises(EndlessJobsError, match="20 attempts"):
        await jobs.drain(advance=True, limit=20)


async def test_a_handler_that_nothing_can_wake_is_named(jobs, clock):
    @background_job("wait")
    async def wait(service, payload: None, db) -> None:
        await asyncio.Event().wait()

    jobs.real_time_limit = 0.3
    await jobs.enqueue(wait)
    with pytest.raises(StuckJobsError, match="'wait'"):
        await jobs.drain(advance=True)


async def test_advance_needs_the_clock(jobs):
    with pytest.raises(TestingArgumentError, match="fixture `clock`"):
        await jobs.drain(advance=True)


@background_job("double")
async def double(service, payload: int, db) -> int:
    return 2 * payload


doubled_provider = JobProvider(double, payload=21, manager=manager_provider)
redoubled_provider = JobProvider(
    double, payload=lambda ref: ref.watch(doubled_provider).value or 0, manager=manager_provider, name="redoubled"
)


async def test_drain_runs_the_job_of_a_provider_that_was_just_listened_to(container, jobs):
    jobs.register_jobs(double)
    container.listen(doubled_provider, lambda previous, state: None)
    assert (await jobs.drain()).results == [42]


async def test_a_provider_that_waits_for_the_result_of_a_job_enqueues_the_next(container, jobs, clock):
    jobs.register_jobs(double)
    container.listen(redoubled_provider, lambda previous, state: None)
    assert (await jobs.drain(advance=True)).results[-1] == 84
    assert container.read(redoubled_provider).value == 84
    assert clock.elapsed < timedelta(seconds=1)


async def test_a_clock_that_is_advanced_during_a_drain_moves_after_the_jobs_have_begun(jobs, clock):
    started = []

    @background_job("nap")
    async def nap(service, payload: None, db) -> None:
        started.append(clock.elapsed)
        await asyncio.sleep(1)

    for _ in range(25):  # the order of the two waits is a race
        await jobs.enqueue(nap)
        before = clock.elapsed
        draining = asyncio.create_task(jobs.drain())
        await clock.advance(1)
        await draining
        assert started[-1] == before
