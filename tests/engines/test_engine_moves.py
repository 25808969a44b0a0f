import asyncio
from datetime import timedelta

import attrs
import pytest

from tetherpy.errors import DurationError
from tetherpy.jobs import (
    LEGAL_MOVES,
    Ack,
    BackgroundJobManager,
    BackgroundJobStatus,
    Completed,
    Failed,
    IllegalJobTransitionError,
    JobNotFoundError,
    JobQuery,
    JobRunningError,
    NewJob,
    Snoozed,
    UniqueJobError,
    UnknownStatusError,
    is_legal_move,
)

PENDING, RUNNING = BackgroundJobStatus.PENDING, BackgroundJobStatus.RUNNING
FAILED, COMPLETED = BackgroundJobStatus.FAILED, BackgroundJobStatus.COMPLETED
ROUTES = {
    PENDING: [],
    RUNNING: [RUNNING],
    COMPLETED: [RUNNING, COMPLETED],
    FAILED: [RUNNING, FAILED],
    BackgroundJobStatus.CANCELLED: [BackgroundJobStatus.CANCELLED],
}


@pytest.mark.parametrize("target", BackgroundJobStatus)
@pytest.mark.parametrize("source", BackgroundJobStatus)
async def test_only_transitions_of_the_table_are_legal(kit, source, target):
    job_id = await kit.add()
    for step in ROUTES[source]:
        await kit.engine.move(job_id, step)
    before = await kit.engine.get(job_id)
    if target in LEGAL_MOVES[source]:
        moved = await kit.engine.move(job_id, target)
        assert moved.status is target
        assert (moved.finished_at is not None) == target.is_finished
        assert moved == await kit.engine.get(job_id)
    else:
        with pytest.raises(IllegalJobTransitionError) as raised:
            await kit.engine.move(job_id, target)
        assert (raised.value.source, raised.value.target) == (source, target)
        assert await kit.engine.get(job_id) == before


async def test_a_manual_transition_fences_out_the_worker(kit):
    job_id = await kit.add()
    claim = await kit.claim_one()
    await kit.engine.move(job_id, FAILED, error="stopped manually")
    ack_and_fetch = await kit.engine.ack_and_fetch("w1", [Ack(claim, Completed())], 0)
    assert len(ack_and_fetch.rejected) == 1
    job = await kit.engine.get(job_id)
    assert (job.status, job.last_error) == (FAILED, "stopped manually")
    (attempt,) = await kit.engine.attempts(job_id)
    assert (attempt.outcome, attempt.error) == ("failed", "stopped manually")


async def test_a_cancellation_request_ends_with_the_run_that_it_was_for(kit):
    job_id = await kit.add()
    await kit.claim_one()
    await kit.engine.request_cancel(job_id)
    assert (await kit.engine.move(job_id, PENDING)).cancel_requested_at is None
    await kit.engine.move(job_id, RUNNING)
    await kit.engine.rescue_expired()
    kit.time.advance(hours=1)
    assert await kit.engine.rescue_expired() == [job_id]
    assert (await kit.engine.get(job_id)).status is PENDING


async def test_a_retry_adds_one_attempt_and_a_reset_starts_from_zero(kit):
    job_id = await kit.add(max_attempts=1)
    await kit.engine.ack_and_fetch("w1", [Ack(await kit.claim_one(), Failed("E: x"))], 0)
    job = await kit.engine.retry(job_id, reset_attempts=False)
    assert (job.status, job.attempts, job.last_error, job.finished_at) == (PENDING, 1, "E: x", None)
    claim = await kit.claim_one()
    assert claim.attempt == 2
    await kit.engine.ack_and_fetch("w1", [Ack(claim, Completed("5"))], 0)
    job = await kit.engine.retry(job_id, reset_attempts=True)
    assert (job.status, job.attempts, job.last_error, job.result) == (PENDING, 0, None, None)
    assert len(await kit.engine.attempts(job_id)) == 2


async def test_a_retried_job_is_due_at_once_even_if_it_was_delayed(kit):
    job_id = await kit.add(delay=3600)
    await kit.engine.request_cancel(job_id)
    await kit.engine.retry(job_id, reset_attempts=False)
    assert (await kit.claim_one()).id == job_id


async def test_a_job_that_cannot_be_retried_raises_an_error_with_the_reason(kit):
    job_id = await kit.add()
    with pytest.raises(IllegalJobTransitionError):
        await kit.engine.retry(job_id, reset_attempts=False)
    await kit.claim_one()
    with pytest.raises(JobRunningError):
        await kit.engine.retry(job_id, reset_attempts=True)
    with pytest.raises(JobNotFoundError):
        await kit.engine.retry(job_id + 1, reset_attempts=True)


async def test_a_retry_does_not_violate_a_unique_key(kit):
    first = await kit.add(unique_key="one")
    await kit.engine.request_cancel(first)
    second = await kit.add(unique_key="one")
    with pytest.raises(UniqueJobError) as raised:
        await kit.engine.retry(first, reset_attempts=False)
    assert raised.value.unique_key == "one"
    await kit.engine.request_cancel(second)
    await kit.engine.retry(first, reset_attempts=False)


async def test_a_pending_job_is_cancelled_at_once_and_a_running_one_is_requested_to_stop(kit):
    pending, running = await kit.add(priority=-1), await kit.add()
    await kit.claim_one()
    assert (await kit.engine.request_cancel(pending)).status is BackgroundJobStatus.CANCELLED
    asked = await kit.engine.request_cancel(running)
    assert (asked.status, asked.cancel_requested_at) == (RUNNING, kit.time.now)
    assert await kit.engine.cancel_requested("w1") == {running}
    again = await kit.engine.request_cancel(pending)
    assert again.status is BackgroundJobStatus.CANCELLED
    await kit.engine.move(running, COMPLETED)
    with pytest.raises(IllegalJobTransitionError):
        await kit.engine.request_cancel(running)


async def test_deletion_removes_the_attempts_and_keeps_running_jobs(kit):
    job_id = await kit.add()
    claim = await kit.claim_one()
    with pytest.raises(JobRunningError):
        await kit.engine.delete(job_id)
    await kit.engine.ack_and_fetch("w1", [Ack(claim, Completed())], 0)
    assert await kit.engine.delete(job_id)
    assert not await kit.engine.delete(job_id)
    with pytest.raises(JobNotFoundError):
        await kit.engine.attempts(job_id)
    assert await kit.add() > job_id


async def test_delete_by_status_keeps_recent_jobs_and_jobs_of_other_statuses(kit):
    old = await kit.engine.enqueue([NewJob(job_key="k") for _ in range(2500)])
    kit.time.advance(hours=2)
    young = await kit.add()
    claim = await kit.claim_one()
    assert await kit.engine.delete_by_status(PENDING, timedelta(hours=1)) == len(old) - 1
    assert [job.id for job in await kit.engine.find(JobQuery())] == [young, claim.id]
    assert await kit.engine.delete_by_status(PENDING) == 1
    with pytest.raises(JobRunningError):
        await kit.engine.delete_by_status(RUNNING)


async def test_retention_deletes_only_jobs_that_finished_long_ago(kit):
    ids = await kit.engine.enqueue([NewJob(job_key="k") for _ in range(4)])
    claims = await kit.claim(3)
    await kit.engine.ack_and_fetch("w1", [Ack(claim, Completed()) for claim in claims[:2]], 0)
    kit.time.advance(days=8)
    await kit.engine.ack_and_fetch("w1", [Ack(claims[2], Completed())], 0)
    assert await kit.engine.delete_finished(timedelta(days=7), limit=1) == 1
    assert await kit.engine.delete_finished(timedelta(days=7)) == 1
    assert await kit.engine.delete_finished(timedelta(days=7)) == 0
    assert [job.id for job in await kit.engine.find(JobQuery())] == ids[:1:-1]


async def test_counts_change_with_every_transition(kit):
    ids = await kit.engine.enqueue([NewJob(job_key="k") for _ in range(5)])
    claims = await kit.claim(3)
    await kit.engine.ack_and_fetch("w1", [Ack(claims[0], Completed()), Ack(claims[1], Failed("E"))], 0)
    await kit.engine.request_cancel(ids[4])
    counts = await kit.engine.counts()
    assert set(counts.by_status.values()) == {1}
    assert counts.total == 5
    await kit.engine.delete(ids[4])
    assert (await kit.engine.counts()).cancelled == 0


async def test_find_filters_paginates_and_orders(kit):
    for n in range(6):
        await kit.add("even" if n % 2 == 0 else "odd", payload={"n": n}, queue="q" if n < 3 else "r")
    engine = kit.engine

    async def numbers(**options):
        return [job.payload["n"] for job in await engine.find(JobQuery(**options))]

    assert await numbers() == [5, 4, 3, 2, 1, 0]
    assert await numbers(order_by_creation="ASC") == [0, 1, 2, 3, 4, 5]
    assert await numbers(limit=2, offset=1) == [4, 3]
    assert await numbers(job_key="odd", queue="r") == [5, 3]
    assert await numbers(status=PENDING, text='"n":4') == [4]
    assert await numbers(status=FAILED) == []
    assert await numbers(offset=4) == [1, 0]
    assert await numbers(created_after=kit.time.now) == []
    with pytest.raises(ValueError, match="order_by_creation"):
        JobQuery(order_by_creation="desc")


@pytest.mark.parametrize("order", ["DESC", "ASC"])
@pytest.mark.parametrize("narrowed", [{}, {"status": PENDING}, {"job_key": "k"}, {"text": "k"}])
async def test_pages_list_each_job_once_while_jobs_are_added_deleted_and_changed(kit, order, narrowed):
    ids = await kit.engine.enqueue([NewJob(job_key="k") for _ in range(10)])
    query = JobQuery(**narrowed, limit=3, order_by_creation=order)
    visited = []
    page = await kit.engine.find(query)
    while page:
        visited += [job.id for job in page]
        added = await kit.add("later")
        await kit.engine.delete(visited[-1])
        await kit.engine.request_cancel(added)
        if page.next is None:
            break
        page = await kit.engine.find(attrs.evolve(query, cursor=page.next))
    listed = [job_id for job_id in visited if job_id in ids]
    assert listed == (ids[::-1] if order == "DESC" else ids)
    assert len(visited) == len(set(visited))


async def test_only_the_last_page_has_no_cursor(kit):
    ids = await kit.engine.enqueue([NewJob(job_key="k" if n % 2 else "l") for n in range(10)])

    async def page(**options):
        found = await kit.engine.find(JobQuery(**options))
        return [job.id for job in found], found.next

    assert await page(limit=10) == (ids[::-1], None)
    assert await page(limit=9) == (ids[:0:-1], ids[1])
    assert await page(limit=None) == (ids[::-1], None)
    assert await page(limit=0) == ([], None)
    assert await page(limit=2**63 - 1, offset=9) == ([ids[0]], None)
    assert await page(limit=2**63 - 1, offset=2**63 - 1, job_key="k") == ([], None)
    assert await page(limit=2, job_key="k", status=PENDING, cursor=ids[7], offset=1) == ([ids[3], ids[1]], None)
    assert await page(cursor=ids[4]) == (ids[3::-1], None)
    assert await page(cursor=ids[4], order_by_creation="ASC") == (ids[5:], None)
    assert await page(cursor=2**63 - 1, limit=1) == ([ids[9]], ids[9])
    for beyond in (-1, 2**63):
        with pytest.raises(ValueError, match="cursor"):
            JobQuery(cursor=beyond)


async def test_a_list_has_the_newest_hundred_jobs_by_default(kit):
    ids = await kit.engine.enqueue([NewJob(job_key="k") for _ in range(101)])
    newest = ids[:0:-1]
    manager = BackgroundJobManager(kit.engine)
    seen = []
    subscription = manager.watch_jobs_by_status(PENDING).subscribe(seen.append)
    async with asyncio.timeout(25):
        while not seen:
            await asyncio.sleep(0)
    subscription.dispose()
    lists = [
        *seen,
        await manager.get_all_jobs(),
        await manager.get_jobs_by_status("PENDING"),
        await manager.get_jobs_by_job_key("k"),
        await manager.find_jobs(JobQuery()),
    ]
    assert [([job.id for job in page], page.next) for page in lists] == [(newest, newest[-1])] * 5


async def test_an_engine_takes_a_status_as_text_and_a_duration_as_seconds(kit):
    job_id = await kit.add()
    assert (await kit.engine.move(job_id, "CANCELLED")).status == "CANCELLED"
    kit.time.advance(seconds=30)
    assert await kit.engine.delete_by_status("CANCELLED", 60) == 0
    assert await kit.engine.delete_finished(60) == 0
    assert await kit.engine.delete_by_status("CANCELLED", 20) == 1
    assert is_legal_move("FAILED", "PENDING")
    calls = (
        lambda: kit.engine.move(job_id, "CANCELED"),
        lambda: kit.engine.delete_by_status("CANCELED"),
        lambda: is_legal_move("CANCELED", "PENDING"),
        lambda: JobQuery(status="CANCELED"),
    )
    for call in calls:
        with pytest.raises(UnknownStatusError, match="did you mean 'CANCELLED'"):
            await call()
    with pytest.raises(DurationError):
        await kit.engine.delete_by_status("CANCELLED", "60")


async def test_a_claim_clears_the_cancellation_request_of_an_earlier_attempt(kit):
    job_id = await kit.add()
    await kit.claim_one()
    await kit.engine.request_cancel(job_id)
    await kit.engine.move(job_id, PENDING)
    claim = await kit.claim_one("w2")
    assert claim.job.cancel_requested_at is None
    assert await kit.engine.cancel_requested("w2") == frozenset()
    await kit.engine.ack_and_fetch("w2", [Ack(claim, Snoozed(kit.time.now))], 0)
    assert (await kit.engine.get(job_id)).status is PENDING


async def test_retention_starts_at_the_end_of_a_job_despite_later_updates(kit):
    ids = await kit.engine.enqueue([NewJob(job_key="k") for _ in range(5)])
    for claim in await kit.claim(5):
        await kit.engine.ack_and_fetch("w1", [Ack(claim, Completed())], 0)
    kit.time.advance(days=2)
    table = "background_service_jobs" if kit.name == "sqlite" else "tetherpy_job_records"
    column = "id" if kit.name == "sqlite" else "job_id"
    await kit.execute(
        f"UPDATE {table} SET payload = NULL, updated_at = '2099-01-01T00:00:00.000000Z' WHERE {column} <= {ids[2]}"
    )
    assert await kit.engine.delete_finished(timedelta(days=1), 2) == 2
    assert await kit.engine.delete_finished(timedelta(days=1), 10) == 3
