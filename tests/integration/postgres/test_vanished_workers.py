"""Workers whose machine has vanished are removed by the others; living workers never are."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from tetherpy.jobs import NewJob, PostgresJobEngine, WorkerRecord
from tetherpy.jobs.postgres import workers

LEASE = timedelta(seconds=30)
NOW = datetime(2030, 1, 1, tzinfo=UTC)


@attrs.define
class Machine:
    """An engine with clocks that stand still until a test moves them."""

    now: datetime = NOW
    ticks: float = 0.0

    def advance(self, span):
        self.now += span
        self.ticks += span.total_seconds()

    def engine(self, db):
        return PostgresJobEngine(db, lease=LEASE, clock=lambda: self.now, monotonic=lambda: self.ticks)


@pytest.fixture
async def db(empty_tables):
    await empty_tables.execute("DELETE FROM procrastinate_workers")
    return empty_tables


@pytest.fixture
def here():
    return Machine()


async def register(engine, worker_id):
    record = WorkerRecord(id=worker_id, pid=1, host="h", started_at=NOW, heartbeat_at=NOW, notification_title=worker_id)
    await engine.register_worker(record)


async def registered(db):
    """Return the workers that we have registered, and the number that Procrastinate has."""
    workers = await db.get_all("SELECT id FROM background_service_workers ORDER BY id")
    return [row["id"] for row in workers], (await db.get("SELECT count(*) FROM procrastinate_workers"))[0]


async def beat_for(here, engine, worker_id, span):
    for _ in range(span // (LEASE / 3)):
        here.advance(LEASE / 3)
        await engine.heartbeat(worker_id)
        await engine.rescue_expired()


async def test_workers_of_a_vanished_machine_are_removed_after_their_jobs_were_rescued(db, here):
    engine = here.engine(db)
    for worker_id in ("alive", "gone", "gone with a job"):
        await register(engine, worker_id)
    (job_id,) = await engine.enqueue([NewJob(job_key="k")])
    await engine.ack_and_fetch("gone with a job", [], 1)
    await engine.rescue_expired()
    await beat_for(here, engine, "alive", LEASE)
    assert (await engine.get(job_id)).claimed_by is None
    assert await registered(db) == (["alive", "gone", "gone with a job"], 3)
    await beat_for(here, engine, "alive", 4 * LEASE)
    assert await registered(db) == (["alive"], 1)


async def test_a_moved_clock_never_makes_a_living_worker_look_dead(db, here):
    engine, elsewhere = here.engine(db), Machine()
    other = elsewhere.engine(db)
    await register(engine, "here")
    await register(other, "elsewhere")
    for jump in (timedelta(days=1), timedelta(days=-2), timedelta(0)):
        elsewhere.now += jump
        for _ in range(5):
            await beat_for(here, engine, "here", LEASE)
            elsewhere.advance(LEASE)
            await other.heartbeat("elsewhere")
    assert await registered(db) == (["elsewhere", "here"], 2)


async def test_a_worker_with_a_job_is_not_removed_and_concurrent_heartbeats_are_kept(db, here):
    engine, watcher = here.engine(db), Machine()
    other = watcher.engine(db)
    await register(engine, "busy")
    await engine.enqueue([NewJob(job_key="k")])
    await engine.ack_and_fetch("busy", [], 1)
    await other._forget_silent()
    watcher.advance(4 * LEASE)
    await other._forget_silent()
    assert await registered(db) == (["busy"], 1)
    await engine.rescue(["busy"])
    silent = await workers.registrations(db)
    here.advance(LEASE)
    await engine.heartbeat("busy")
    await workers.forget(db, silent)
    assert await registered(db) == (["busy"], 1)


async def test_a_removed_worker_is_registered_again_with_its_next_heartbeat(db, here):
    sleeper, watcher = Machine(), here.engine(db)
    engine = sleeper.engine(db)
    await register(engine, "slept")
    await watcher.rescue_expired()
    here.advance(4 * LEASE)
    await watcher.rescue_expired()
    assert await registered(db) == ([], 0)
    sleeper.now += 5 * LEASE
    await engine.heartbeat("slept", title="Awake")
    (worker,) = await engine.workers()
    assert (worker.id, worker.heartbeat_at, worker.notification_title) == ("slept", sleeper.now, "Awake")
    assert await registered(db) == (["slept"], 1)
    await engine.unregister_worker("slept")
    await engine.heartbeat("slept")
    assert await registered(db) == ([], 0)
