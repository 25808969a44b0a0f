"""``async for`` over a stream unsubscribes however the loop is left."""

import asyncio
import gc
import threading
from contextlib import aclosing

import pytest

from tetherpy import (
    BackgroundJobManager,
    BackgroundService,
    Database,
    JobQuery,
    Provider,
    ProviderContainer,
    SlowConsumerError,
)
from tetherpy.iteration import MOST_WAITING, PushedValues, keep_all, keep_union
from tetherpy.jobs import JOB_MIGRATIONS
from tetherpy.observables import observable


class LeftError(Exception):
    pass


async def leave_by_break(stream):
    async for _ in stream():
        break


async def leave_by_return(stream):
    async for value in stream():
        return value
    raise AssertionError("the loop ended")


async def leave_by_error(stream):
    try:
        async for _ in stream():
            raise LeftError
    except LeftError as error:
        return error  # whose traceback is kept


async def leave_by_timeout(stream):
    try:
        async with asyncio.timeout(0.05):
            async for _ in stream():
                pass
    except TimeoutError as error:
        return error


async def leave_by_cancellation(stream):
    started = asyncio.Event()

    async def follow():
        async for _ in stream():
            started.set()

    task = asyncio.create_task(follow())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return task


async def leave_by_a_cancelled_wait(stream):
    iterator = aiter(stream())
    await anext(iterator)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(iterator), 0.01)
    with pytest.raises(StopAsyncIteration):
        await anext(iterator)
    return iterator


async def leave_by_aclose(stream):
    iterator = aiter(stream())
    await anext(iterator)
    await iterator.aclose()
    return iterator


async def leave_by_garbage_collection(stream):
    cycle = [aiter(stream())]
    await anext(cycle[0])
    cycle.append(cycle)
    del cycle
    gc.collect()


@Provider.auto_dispose
def answer(ref):
    return 42


@pytest.mark.parametrize(
    "leave",
    [
        leave_by_break,
        leave_by_return,
        leave_by_error,
        leave_by_timeout,
        leave_by_cancellation,
        leave_by_a_cancelled_wait,
        leave_by_aclose,
        leave_by_garbage_collection,
    ],
)
async def test_no_subscription_is_left(manager, tmp_path, leave):
    database = manager.database
    job_id = await manager.enqueue("report")
    async with (
        aclosing(BackgroundService(tmp_path / "app.db", "app:initialize")) as service,
        ProviderContainer() as container,
    ):
        streams = {
            "a job": lambda: manager.watch_job(job_id),
            "a job until its end": lambda: manager.follow_job(job_id),
            "jobs": lambda: manager.watch_jobs(JobQuery()),
            "counts": manager.watch_counts,
            "rows": lambda: database.watch("SELECT 1"),
            "the state of a service": lambda: service.state,
            "a provider": lambda: container.stream(answer),
            "an observed provider": lambda: container.observe(answer),
        }
        for name, stream in streams.items():
            left = await leave(stream)
            await asyncio.sleep(0)
            assert not manager._hub._views, (name, left)
            assert not database._live_queries, (name, left)
            assert not database._feed._listeners, (name, left)
            assert not service._board._watchers, (name, left)
            assert not container.exists(answer), (name, left)


async def test_no_subscription_to_events_is_left(manager, tmp_path):
    async with aclosing(BackgroundService(tmp_path / "app.db", "app:initialize")) as service:
        for stream, subscribers in (
            (manager.database.changes, manager.database._feed._listeners),
            (service.on("progress"), service._events._subscribers),
            (service.manifest, service._events._subscribers),
        ):
            await leave_by_timeout(lambda stream=stream: stream)
            assert not subscribers
        assert not service._board._watchers


async def test_a_job_is_followed_to_its_end(manager):
    job_id = await manager.enqueue("report")
    seen = []
    async for job in manager.watch_job(job_id):
        seen.append(job.status)
        if job.status == "CANCELLED":
            break
        await manager.cancel_job(job_id)
    assert seen == ["PENDING", "CANCELLED"]
    assert not manager._hub._views


async def test_a_stream_that_ends_by_itself_leaves_no_subscription(manager):
    job_id = await manager.enqueue("report")
    async for job in manager.follow_job(job_id):
        if job.status == "PENDING":
            await manager.cancel_job(job_id)
    assert job.status == "CANCELLED"
    assert not manager._hub._views


async def test_each_iteration_has_its_own_subscription(manager):
    counts = manager.watch_counts()
    first, second = aiter(counts), aiter(counts)
    assert await anext(first) == await anext(second)
    del first
    await manager.enqueue("report")
    assert (await anext(second)).pending == 1


async def test_the_close_of_the_database_ends_the_loop(tmp_path):
    database = await Database.open(tmp_path / "app.db", migrations=JOB_MIGRATIONS)
    async for _ in BackgroundJobManager(database).watch_counts():
        await database.aclose()


def test_an_iterator_that_outlives_its_loop_unsubscribes(tmp_path):
    async def begin():
        database = await Database.open(tmp_path / "app.db", migrations=JOB_MIGRATIONS)
        manager = BackgroundJobManager(database)
        values = aiter(manager.watch_counts())
        await anext(values)
        return database, manager, values

    loop = asyncio.new_event_loop()
    database, manager, values = loop.run_until_complete(begin())
    del values
    assert not manager._hub._views
    loop.run_until_complete(database.aclose())
    loop.close()


async def test_an_iterator_dropped_in_another_thread_unsubscribes_in_the_thread_of_its_loop(manager):
    cycle = [aiter(manager.watch_counts())]
    await anext(cycle[0])
    cycle.append(cycle)
    del cycle
    thread = threading.Thread(target=gc.collect)
    thread.start()
    await asyncio.to_thread(thread.join)
    await asyncio.sleep(0)
    assert not manager._hub._views


def source(*values):
    def listen(on_next, on_error, on_completed):
        for value in values:
            on_next(value)
        on_completed()
        return lambda: None

    return listen


async def test_a_slow_loop_gets_the_newest_state():
    assert [value async for value in observable(source(*range(10_000)))] == [9_999]


async def test_a_slow_loop_gets_the_union_of_sets():
    sets = source(frozenset({"a"}), frozenset({"b"}))
    assert [value async for value in observable(sets, keep_union)] == [{"a", "b"}]


async def test_a_slow_loop_gets_every_event_up_to_the_limit():
    assert [value async for value in PushedValues(source(*range(MOST_WAITING)), keep_all)] == [*range(MOST_WAITING)]
    values = PushedValues(source(*range(MOST_WAITING + 1)), keep_all)
    assert [await anext(values) for _ in range(MOST_WAITING)] == [*range(MOST_WAITING)]
    with pytest.raises(SlowConsumerError, match=r"1,000 events wait"):
        await anext(values)


async def test_an_error_ends_the_loop_after_the_values_before_it():
    closed = []

    def listen(on_next, on_error, on_completed):
        on_next(1)
        on_error(LeftError())
        on_next(2)
        return lambda: closed.append(True)

    values = aiter(observable(listen))
    assert await anext(values) == 1
    with pytest.raises(LeftError):
        await anext(values)
    with pytest.raises(StopAsyncIteration):
        await anext(values)
    assert closed == [True]


async def test_values_of_another_thread_wake_the_loop():
    callbacks = []

    def listen(*given):
        callbacks.extend(given)
        return lambda: None

    values = aiter(observable(listen))
    waiting = asyncio.ensure_future(anext(values))
    await asyncio.sleep(0)
    threading.Thread(target=callbacks[0], args=[7]).start()
    async with asyncio.timeout(25):
        assert await waiting == 7
