"""Streams survive failures of connections and server, and then emit the present value."""

import asyncio
import contextlib
from datetime import timedelta

import pytest

from tests import postgres_server
from tests.integration.postgres.conftest import BOUND
from tests.support.streams import Seen
from tetherpy.database import DatabaseUnavailableError
from tetherpy.jobs import BackgroundJobManager, BackgroundJobStatus, JobCounts, NewJob, engine_of, open_database
from tetherpy.service import BackgroundService


async def is_reachable(db):
    try:
        await db.get("SELECT 1")
    except DatabaseUnavailableError:
        return False
    return True


@pytest.fixture
def mortal_server():
    server = postgres_server.start_own()
    yield server
    server.close()


async def listening(url):
    async with open_database(url) as db:
        row = await db.get(
            "SELECT count(*) AS n FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'tetherpy listener'"
        )
    return row["n"]


async def test_a_stream_emits_missed_changes_after_its_connections_were_cut(postgres_url, job_server):
    async with open_database(postgres_url) as db:
        manager = BackgroundJobManager(db)
        counts = Seen(manager.watch_counts())
        await counts.until(lambda seen: seen == JobCounts())
        waiting = asyncio.create_task(manager.wait_for(await manager.enqueue("work"), BOUND))
        await counts.until(lambda seen: seen.pending == 1)
        for _ in range(3):
            while not job_server.server.cut_connections(postgres_url):
                await asyncio.sleep(0.01)  # it is about to listen again
            async with open_database(postgres_url) as other:
                engine = engine_of(other)
                await engine.enqueue([NewJob(job_key="work", priority=-1)])
        await counts.until(lambda seen: seen.pending == 4)
        async with open_database(postgres_url) as other:
            engine = engine_of(other)
            (claim,) = (await engine.ack_and_fetch("w", [], 1)).claims
            await engine.move(claim.id, BackgroundJobStatus.COMPLETED)
        assert (await waiting).id == claim.id
        assert counts.ends == []
        counts.subscription.dispose()


async def test_all_streams_of_a_process_listen_over_one_connection(postgres_url):
    async with open_database(postgres_url) as db:
        watched = [Seen(BackgroundJobManager(db).watch_counts()) for _ in range(20)]
        for seen in watched:
            await seen.until(lambda counts: counts == JobCounts())
        async with asyncio.timeout(BOUND):
            while await listening(postgres_url) != 1:
                await asyncio.sleep(0.01)
        await BackgroundJobManager(db).enqueue("work")
        for seen in watched:
            await seen.until(lambda counts: counts.pending == 1)
            seen.subscription.dispose()
    assert await listening(postgres_url) == 0


async def test_streams_complete_when_the_database_is_closed(postgres_url):
    async with open_database(postgres_url) as db:
        counts = Seen(BackgroundJobManager(db).watch_counts())
        await counts.until(lambda seen: seen == JobCounts())
    assert counts.ends == [None]


async def test_a_write_over_a_cut_connection_is_complete_or_an_error(postgres_url, job_server):
    async with open_database(postgres_url) as db:
        manager = BackgroundJobManager(db)
        promised, cutting = [], True

        async def cut():
            while cutting:
                job_server.server.cut_connections(postgres_url)
                await asyncio.sleep(0.02)

        cutter = asyncio.create_task(cut())
        failed = 0
        for number in range(300):
            try:
                promised.append(await manager.enqueue("work", {"number": number}))
            except DatabaseUnavailableError:
                failed += 1
        cutting = False
        await cutter
        jobs = await manager.get_all_jobs(limit=None)
        assert set(promised) <= {job.id for job in jobs}
        assert len(jobs) <= len(promised) + failed
        numbers = [job.payload["number"] for job in jobs]
        assert len(numbers) == len(set(numbers))


async def test_claims_whose_response_was_lost_are_released_by_the_next_call(postgres_url):
    async with open_database(postgres_url) as db:
        engine = engine_of(db, lease=timedelta(hours=1))
        ids = await engine.enqueue([NewJob(job_key="work") for _ in range(5)])
        heard = (await engine.ack_and_fetch("w", [], 1)).claims
        unheard = (await engine_of(db).ack_and_fetch("w", [], 2)).claims
        engine._held.response_lost("w")
        again = (await engine.ack_and_fetch("w", [], 5)).claims
        assert {claim.id for claim in again} == set(ids) - {heard[0].id}
        assert {claim.id: claim.attempt for claim in again if claim.id in {c.id for c in unheard}} == {
            claim.id: 1 for claim in unheard
        }
        outcomes = [attempt.outcome for claim in unheard for attempt in await engine.attempts(claim.id)]
        assert outcomes == ["released", None, "released", None]


async def test_a_lost_response_leaves_no_job_claimed(postgres_url, job_server):
    async with open_database(postgres_url) as db:
        engine = engine_of(db)
        ids = set(await engine.enqueue([NewJob(job_key="work") for _ in range(40)]))
        held = set()
        while len(held) < len(ids):
            job_server.server.cut_connections(postgres_url)
            with contextlib.suppress(DatabaseUnavailableError):
                held |= {claim.id for claim in (await engine.ack_and_fetch("w", [], 7)).claims}
        running = await BackgroundJobManager(db).get_jobs_by_status(BackgroundJobStatus.RUNNING)
        assert {job.id for job in running} == held == ids


async def test_streams_workers_and_calls_continue_after_the_server_was_killed(mortal_server, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    url = mortal_server.address(mortal_server.create_database())
    service = BackgroundService(url, "postgres_worker:initialize")
    async with open_database(url) as db:
        await db.execute("CREATE TABLE effects (job_id bigint NOT NULL, worker integer NOT NULL)")
        manager = BackgroundJobManager(db)
        await service.start()
        try:
            counts = Seen(manager.watch_counts())
            ids = await manager.enqueue_many([NewJob(job_key="exactly_once") for _ in range(300)])
            await counts.until(lambda seen: seen.completed >= 10)
            await asyncio.to_thread(mortal_server.kill)
            assert not await is_reachable(db)
            await asyncio.to_thread(mortal_server.start_again)
            await counts.until(lambda seen: seen.completed == len(ids))
            effects = [row["job_id"] for row in await db.get_all("SELECT job_id FROM effects ORDER BY job_id")]
            assert effects == sorted(ids)
            assert counts.ends == []
            counts.subscription.dispose()
        finally:
            await service.stop(0)
            await service.aclose()
