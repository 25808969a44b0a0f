"""The job manager on a real database."""

import asyncio
import math
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.waiting import until
from tetherpy.database import Database, DatabaseClosedError
from tetherpy.jobs import (
    Ack,
    BackgroundJobManager,
    BackgroundJobStatus,
    Completed,
    JobNotFoundError,
    JobQuery,
    NewJob,
    SqliteJobEngine,
)
from tetherpy.jobs.live.job_queries import Counts
from tetherpy.jobs.live.live_views import Listener, LiveViewHub
from tetherpy.jobs.live.rate_limit import BURST, RateLimiter

PENDING = BackgroundJobStatus.PENDING


@pytest.fixture
async def manager(tmp_path):
    async with Database.open(tmp_path / "jobs.db", safety_interval=None) as db:
        yield BackgroundJobManager(db)


async def test_a_stream_accepts_any_query(manager):
    seen = []
    query = JobQuery(status=PENDING, text="Grace", limit=2)
    subscription = manager.watch_jobs(query).subscribe(lambda jobs: seen.append([job.id for job in jobs]))
    await until(lambda: seen == [[]])
    ada, *graces = await manager.enqueue_many(NewJob(job_key="mail", payload=to) for to in ("Ada", "Grace", "Grace"))
    await until(lambda: seen[-1] == graces[::-1])
    await manager.cancel_job(graces[0])
    await until(lambda: seen[-1] == [graces[1]])
    subscription.dispose()
    assert ada not in {job_id for jobs in seen for job_id in jobs}


async def test_enqueue_passes_all_options_to_the_engine(manager):
    run_at = datetime(2031, 5, 1, tzinfo=UTC)
    job_id = await manager.enqueue(
        "mail", {"a": 1}, priority=2, max_attempts=4, run_at=run_at, queue="q", timeout=9, unique_key="u"
    )
    job = await manager.get_job_by_id(job_id)
    assert (job.job_key, job.payload, job.priority, job.max_attempts) == ("mail", {"a": 1}, 2, 4)
    assert (job.run_at, job.queue, job.timeout, job.unique_key) == (run_at, "q", timedelta(seconds=9), "u")
    assert await manager.get_job_by_id(job_id + 1) is None


async def test_lists_can_be_paginated_in_both_orders(manager):
    ids = await manager.enqueue_many(NewJob(job_key="ab"[n % 2]) for n in range(6))

    def numbers(jobs):
        return [job.id for job in jobs]

    assert numbers(await manager.get_all_jobs(limit=2, offset=1, order_by_creation="ASC")) == ids[1:3]
    assert numbers(await manager.get_jobs_by_job_key("a")) == ids[4::-2]
    assert numbers(await manager.get_jobs_by_status(PENDING, limit=2)) == ids[:3:-1]
    assert numbers(await manager.find_jobs(JobQuery(job_key="b", status="PENDING", limit=1))) == [ids[5]]
    for wrong in ("desc", "id; DROP TABLE background_service_jobs", None):
        with pytest.raises(ValueError, match="order_by_creation"):
            await manager.get_all_jobs(order_by_creation=wrong)
    with pytest.raises(ValueError, match="limit"):
        await manager.get_all_jobs(limit=-1)


async def test_jobs_can_be_counted_changed_and_deleted(manager):
    job_id = await manager.enqueue("k")
    assert await manager.get_job_count_by_status(PENDING) == 1
    assert (await manager.update_job_status(job_id, BackgroundJobStatus.RUNNING)).attempts == 1
    failed = await manager.update_job_status(job_id, BackgroundJobStatus.FAILED, error="no")
    assert failed.last_error == "no"
    assert (await manager.retry_job(job_id)).attempts == 1
    assert (await manager.cancel_job(job_id)).status is BackgroundJobStatus.CANCELLED
    assert (await manager.reset_job_for_retry(job_id)).attempts == 0
    assert (await manager.get_counts()).by_status[PENDING] == 1
    assert len(await manager.get_attempts(job_id)) == 1
    await manager.delete_job(job_id)
    with pytest.raises(JobNotFoundError):
        await manager.delete_job(job_id)
    with pytest.raises(JobNotFoundError):
        await manager.get_attempts(job_id)
    await manager.enqueue("k")
    assert await manager.delete_jobs_by_status(PENDING, older_than=3600) == 0
    assert await manager.delete_jobs_by_status(PENDING) == 1


async def test_the_manager_accepts_an_engine_instead_of_a_database(tmp_path):
    async with Database.open(tmp_path / "jobs.db") as db:
        engine = SqliteJobEngine(db)
        assert BackgroundJobManager(engine).engine is engine


@pytest.mark.parametrize("text", ["lone \ud800 surrogate", "NUL \0 inside", "x" * 1_000_000])
async def test_any_text_of_a_handler_can_be_stored(manager, text):
    from tetherpy.jobs import Failed, Progress

    engine = manager.engine
    job_id = await manager.enqueue("k")
    (claim,) = (await engine.ack_and_fetch("w1", [], 1)).claims
    await engine.report_progress([Progress(claim, 7.0, text)])
    assert (await manager.get_job_by_id(job_id)).progress == 1.0
    await engine.report_progress([Progress(claim, float("nan"), None)])
    assert (await manager.get_job_by_id(job_id)).progress == 1.0
    answer = await engine.ack_and_fetch("w1", [Ack(claim, Failed(text, text))], 0)
    assert answer.rejected == ()
    job = await manager.get_job_by_id(job_id)
    (attempt,) = await manager.get_attempts(job_id)
    assert job.last_error == attempt.error
    assert job.last_error[:3] == text[:3]
    assert len(job.last_error) < 11_000
    assert len(attempt.traceback) < 101_000


async def test_a_key_that_utf8_cannot_encode_is_refused_and_affects_no_other_job(manager):
    results = await asyncio.gather(
        manager.enqueue("good"), manager.enqueue("bad \ud800"), manager.enqueue("good"), return_exceptions=True
    )
    assert isinstance(results[1], UnicodeEncodeError)
    assert len(await manager.get_all_jobs()) == 2


async def test_invalid_attempts_and_workers_do_not_hide_the_others(manager):
    db = manager.engine.db
    job_id = await manager.enqueue("k")
    (claim,) = (await manager.engine.ack_and_fetch("w1", [], 1)).claims
    await manager.engine.ack_and_fetch("w1", [Ack(claim, Completed())], 0)
    await db.execute("UPDATE background_service_job_attempts SET started_at = 'once', finished_at = 5")
    (attempt,) = await manager.get_attempts(job_id)
    assert (attempt.started_at, attempt.finished_at, attempt.outcome) == (None, None, "completed")
    await db.execute(
        "INSERT INTO background_service_workers (id, pid, host, started_at, heartbeat_at)"
        " VALUES ('odd', 1, 'h', 'then', 'now')"
    )
    assert await manager.engine.workers() == []
    assert await manager.engine.claimants() == {"odd"}


async def test_the_first_changes_are_answered_one_by_one_and_a_longer_burst_together(manager):
    """With an hour between refreshes only the burst may be answered."""
    engine = manager.engine
    await engine.prepare()
    hub = LiveViewHub(engine, rate_limiter=RateLimiter(longest_rest=3600, rest_share=math.inf))
    answers = asyncio.Queue()
    errors = []
    stop = hub.listen(Counts(), Listener(answers.put_nowait, errors.append, errors.append))
    async with asyncio.timeout(25):
        assert (await answers.get()).pending == 0
        for count in range(1, 4):
            await manager.enqueue("k")
            assert (await answers.get()).pending == count
        for _ in range(20):
            woken = asyncio.Event()
            remove = engine.on_change(woken.set)
            await manager.enqueue("k")
            await woken.wait()
            remove()
    assert answers.qsize() <= BURST - 3
    stop()
    await until(lambda: hub.is_idle)
    assert errors == []


async def test_the_refresh_interval_is_as_long_as_a_refresh_takes(manager):
    """With the longest interval, the first change after the burst would be answered after an hour."""
    engine = manager.engine
    await engine.prepare()
    hub = LiveViewHub(engine, rate_limiter=RateLimiter(longest_rest=3600))
    answers = asyncio.Queue()
    stop = hub.listen(Counts(), Listener(answers.put_nowait, answers.put_nowait, answers.put_nowait))
    async with asyncio.timeout(25):
        assert (await answers.get()).pending == 0
        for count in range(1, 5 * BURST):
            await manager.enqueue("k")
            assert (await answers.get()).pending == count
    stop()


async def test_idle_streams_and_waits_end_when_the_database_closes(tmp_path):
    async with Database.open(tmp_path / "jobs.db", safety_interval=None) as db:
        manager = BackgroundJobManager(db)
        job_id = await manager.enqueue("k")
        seen, ended = asyncio.Queue(), asyncio.Event()
        manager.watch_job(job_id).subscribe(seen.put_nowait, on_completed=ended.set)
        waiting = asyncio.create_task(manager.wait_for(job_id))
        async with asyncio.timeout(25):
            assert (await seen.get()).status is PENDING
            await until(lambda: manager._hub._refreshing is None)
            await db.aclose()
            await ended.wait()
            with pytest.raises(DatabaseClosedError):
                await waiting
        await until(lambda: manager._hub.is_idle)


async def test_watched_jobs_are_read_only_when_counts_change(manager):
    asked = []
    engine = manager.engine

    class Counting:
        def __getattr__(self, name):
            return getattr(engine, name)

        async def get_many(self, job_ids):
            asked.append(sorted(job_ids))
            return await engine.get_many(job_ids)

    running = await manager.enqueue_many([NewJob(job_key="k") for _ in range(3)])
    claims = (await engine.ack_and_fetch("w1", [], 3)).claims
    waiting = await manager.enqueue_many([NewJob(job_key="k", delay=99) for _ in range(2)])
    manager._hub.store = Counting()
    seen = {job_id: asyncio.Queue() for job_id in (*running, *waiting)}
    subscriptions = [manager.watch_job(job_id).subscribe(queue.put_nowait) for job_id, queue in seen.items()]
    async with asyncio.timeout(25):
        for queue in seen.values():
            await queue.get()
        # After a pause no counts are known, so the first change reads all jobs.
        waiting.append(await manager.enqueue("k", delay=99))
        known = await engine.revisions()
        await until(lambda: manager._hub._revisions == known)
        await engine.revisions()  # reads are answered in order, so the hub's earlier read has ended
        asked.clear()
        await engine.ack_and_fetch("w1", [Ack(claims[0], Completed())], 0)
        job = await seen[running[0]].get()
        assert job.status is BackgroundJobStatus.COMPLETED
    # Only the RUNNING jobs, in one read: the number of PENDING ones did not change.
    assert asked == [running]
    assert all(queue.empty() for queue in seen.values())
    for subscription in subscriptions:
        subscription.dispose()
    assert [job.id for job in await engine.find(JobQuery(status=PENDING))] == waiting[::-1]


def test_a_program_that_ends_with_open_streams_prints_no_errors(tmp_path):
    code = f"""
import asyncio
from tetherpy.database import Database
from tetherpy.jobs import BackgroundJobManager, BackgroundJobStatus

async def main():
    asyncio.get_running_loop().slow_callback_duration = 3600  # a busy machine is no news here
    async with Database.open({str(tmp_path / "jobs.db")!r}) as db:
        manager = BackgroundJobManager(db)
        first = asyncio.Event()
        manager.watch_counts().subscribe(lambda _: first.set())
        manager.watch_jobs_by_status(BackgroundJobStatus.PENDING).subscribe(lambda _: None)
        waiting = asyncio.create_task(manager.wait_for(await manager.enqueue("k")))
        await first.wait()
        for _ in range(20):
            await manager.enqueue("k")
        # Nothing is disposed, and the loop is stopped in the midst of it.
        waiting.cancel()
        raise SystemExit(7)

asyncio.run(main(), debug=True)
"""
    done = subprocess.run([sys.executable, "-X", "dev", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, "", "")
