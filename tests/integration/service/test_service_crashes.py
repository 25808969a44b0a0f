"""Workers and supervisors that are killed or hang: no job is lost or stuck."""

import asyncio
import contextlib
import os
import signal
import sqlite3
from datetime import timedelta

import pytest

from tetherpy.jobs import BackgroundJobStatus, NewJob


async def enqueue_long_jobs(manager, folder, number=10):
    jobs = (NewJob(job_key="first_time_long", payload=str(folder)) for _ in range(number))
    return await manager.enqueue_many(jobs)


async def assert_all_ran_again(manager, finished, job_ids, outcome="worker died"):
    for job_id in job_ids:
        job = await finished(job_id)
        assert (job.status, job.attempts, job.result) == ("COMPLETED", 2, 2)
        attempts = await manager.get_attempts(job_id)
        assert [attempt.outcome for attempt in attempts] == [outcome, "completed"]
        assert attempts[0].worker != attempts[1].worker


async def test_all_jobs_end_after_all_processes_were_killed_and_started_again(
    make_service, manager, finished, servers, until, tmp_path, kill
):
    service = make_service("crash_worker:initialize")
    await service.start()
    job_ids = await enqueue_long_jobs(manager, tmp_path)
    await until(lambda: len(list(tmp_path.glob("*-1"))) == 10)
    # The supervisor first: it would start another worker.
    for process in sorted(servers(), key=lambda process: process.pid):
        kill(process.pid)
    await until(lambda: servers() == [])

    async def is_seen_to_be_gone():
        return not await service.is_running()

    # A dying process releases its memory, and with it its command line, shortly before its lock.
    await until(is_seen_to_be_gone, 1.0)
    assert (await manager.get_counts()).running == 10
    await service.start()
    await assert_all_ran_again(manager, finished, job_ids)


async def test_a_killed_worker_is_replaced(make_service, manager, finished, worker_pids, until, tmp_path, kill):
    service = make_service("crash_worker:initialize")
    await service.start()
    job_ids = await enqueue_long_jobs(manager, tmp_path)
    await until(lambda: len(list(tmp_path.glob("*-1"))) == 10)
    (killed,) = await worker_pids()
    kill(killed)
    await assert_all_ran_again(manager, finished, job_ids)
    (successor,) = await worker_pids()
    assert successor != killed


async def test_jobs_of_a_killed_worker_go_to_a_living_one(
    make_service, manager, engine, finished, until, tmp_path, kill
):
    service = make_service("crash_worker:initialize", processes=2, concurrency=20)
    await service.start()
    job_ids = await enqueue_long_jobs(manager, tmp_path)
    await until(lambda: len(list(tmp_path.glob("*-1"))) == 10)
    workers = {worker.id: worker.pid for worker in await engine.workers()}
    running = await manager.get_jobs_by_status(BackgroundJobStatus.RUNNING)
    victim = running[0].claimed_by
    its_jobs = [job.id for job in running if job.claimed_by == victim]
    kill(workers[victim])
    await assert_all_ran_again(manager, finished, its_jobs)
    others = [job_id for job_id in job_ids if job_id not in its_jobs]
    assert all([(await manager.get_job_by_id(job_id)).attempts == 1 for job_id in others])
    await service.stop(0)


async def test_a_job_that_kills_its_worker_ends_failed(make_service, manager, finished):
    service = make_service("crash_worker:initialize")
    await service.start()
    job = await finished(await service.job("die", max_attempts=3))
    assert (job.status, job.attempts) == ("FAILED", 3)
    assert "worker died" in job.last_error
    assert [attempt.outcome for attempt in await manager.get_attempts(job.id)] == ["worker died"] * 3
    # The service still works for the other apps.
    assert (await finished(await service.job("echo", 1))).result == 1


async def test_a_killed_supervisor_leaves_no_orphans(
    make_service, manager, finished, worker_pids, servers, until, kill
):
    service = make_service()
    await service.start()
    job_id = await service.job("progress", 0.5)

    async def has_begun():
        return (await manager.get_job_by_id(job_id)).progress is not None

    await until(has_begun)
    (worker,) = await worker_pids()
    (supervisor,) = {process.pid for process in servers()} - {worker}
    kill(supervisor)
    # The worker finishes its jobs and ends, because no supervisor would replace it.
    job = await finished(job_id)
    assert (job.status, job.attempts) == ("COMPLETED", 1)
    await until(lambda: servers() == [])
    await service.start()
    assert (await finished(await service.job("echo", 1))).result == 1


async def running_count(manager):
    return (await manager.get_counts()).running


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


async def test_a_hung_worker_loses_its_jobs_and_its_outcomes_are_refused(
    make_service, manager, engine, finished, until, database_path
):
    service = make_service(processes=2, lease=timedelta(seconds=1))
    await service.start()
    job_id = await service.job("nap", 1.5)
    await until(lambda: running_count(manager))
    owner = (await manager.get_job_by_id(job_id)).claimed_by
    pid = {worker.id: worker.pid for worker in await engine.workers()}[owner]
    with stopped(pid):

        async def taken_over():
            return (await manager.get_job_by_id(job_id)).claimed_by not in (owner, None)

        await until(taken_over)
    job = await finished(job_id)
    assert (job.status, job.attempts) == ("COMPLETED", 2)
    first, second = await manager.get_attempts(job_id)
    assert (first.worker, first.outcome) == (owner, "lease expired")
    assert second.outcome == "completed"
    # The later outcome of the first worker was rejected with a warning.
    log = database_path.with_name("app.db-service") / "worker.log"
    await until(lambda: "no longer belongs to this worker" in log.read_text())
    await service.stop(0)


async def test_a_worker_that_hangs_for_ever_is_replaced(make_service, finished, until, worker_pids, manager):
    service = make_service(lease=timedelta(seconds=0.5))
    await service.start()
    job_id = await service.job("nap", 0.3)
    await until(lambda: running_count(manager))
    (pid,) = await worker_pids()
    with stopped(pid):
        job = await finished(job_id)
        assert (job.status, job.attempts) == ("COMPLETED", 2)
    assert pid not in await worker_pids()


async def test_a_process_left_by_a_dead_worker_does_not_count_as_that_worker(make_service, finished, kill):
    """A forked child keeps the open files of its parent except for the lock of a live worker."""
    service = make_service(concurrency=2)
    await service.start()
    copy = (await finished(await service.job("spawn"))).result
    job_id = await service.job("die_once", max_attempts=2)
    try:
        job = await finished(job_id)
        assert (job.status, job.result, job.attempts) == ("COMPLETED", "lived", 2)
    finally:
        kill(copy)


async def test_a_process_that_starts_after_the_death_of_its_worker_does_not_count_as_that_worker(
    make_service, finished, kill, tmp_path
):
    service = make_service()
    await service.start()
    copy = tmp_path / "copy"
    try:
        job = await finished(await service.job("die_before_its_copy_wakes", str(copy), max_attempts=2))
        assert (job.status, job.result, job.attempts) == ("COMPLETED", "lived", 2)
    finally:
        kill(int(copy.read_text()))


async def test_a_callback_that_fails_later_ends_the_service(
    make_service, until, worker_pids, kill, database_path, finished
):
    """A worker that cannot start is retried a few times; then the service fails with an error."""
    flag = database_path.with_name("broken")
    service = make_service("later_worker:initialize")
    await service.start()
    flag.touch()
    (pid,) = await worker_pids()
    kill(pid)
    await until(lambda: not is_running_now(service))
    log = (database_path.with_name("app.db-service") / "worker.log").read_text()
    assert "keep dying before they are ready" in log
    assert "broken on purpose" in log
    flag.unlink()
    await service.start()
    assert (await finished(await service.job("echo", 1))).result == 1


async def test_a_new_worker_waits_for_a_locked_database(
    make_service, manager, finished, worker_pids, until, tmp_path, kill, database_path
):
    service = make_service("crash_worker:impatient")
    await service.start()
    (job_id,) = await enqueue_long_jobs(manager, tmp_path, 1)
    await until(lambda: list(tmp_path.glob("*-1")))
    (pid,) = await worker_pids()
    log = database_path.with_name("app.db-service") / "worker.log"
    with contextlib.closing(sqlite3.connect(database_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        kill(pid)
        # More often than the supervisor restarts workers that fail to start.
        await until(lambda: log.read_text().count("a new worker cannot start: its database") > 6)
        assert await service.is_running()
        other.execute("ROLLBACK")
        await assert_all_ran_again(manager, finished, [job_id])
    await service.stop()


async def test_a_new_worker_that_waits_for_a_database_can_be_stopped(
    make_service, worker_pids, until, kill, database_path, servers
):
    service = make_service("crash_worker:impatient")
    await service.start()
    (pid,) = await worker_pids()
    log = database_path.with_name("app.db-service") / "worker.log"
    with contextlib.closing(sqlite3.connect(database_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        kill(pid)
        await until(lambda: "a new worker cannot start" in log.read_text())
        await service.stop()
        await until(lambda: servers() == [])
        assert "does not end and is killed" not in log.read_text()


def is_running_now(service):
    from tetherpy.service.protocol.locks import is_locked

    return is_locked(service._files.group_lock)


async def test_a_gigabyte_of_output_does_not_fill_the_disk(make_service, finished, database_path):
    service = make_service()
    await service.start()
    job = await finished(await service.job("print", 64 << 20))
    assert job.result == "printed"
    await service.stop()
    folder = database_path.with_name("app.db-service")
    logged = sum(path.stat().st_size for path in folder.glob("worker.log*"))
    assert 4 << 20 <= logged <= 9 << 20


@pytest.mark.parametrize("times", [1, 2])
async def test_a_blocked_loop_only_delays(make_service, finished, times):
    service = make_service()
    await service.start()
    jobs = [await service.job("block", 0.2) for _ in range(times)]
    assert [(await finished(job)).result for job in jobs] == ["blocked"] * times


@pytest.mark.parametrize("processes", [1, 2])
async def test_a_pause_of_all_processes_for_two_leases_loses_nothing(
    make_service, manager, finished, worker_pids, servers, until, processes
):
    service = make_service(processes=processes, lease=timedelta(seconds=1))
    await service.start()
    pids = set(await worker_pids())
    job_ids = await manager.enqueue_many([NewJob(job_key="nap", payload=4.0) for _ in range(4)])
    await until(lambda: has_running(manager, 4))
    everything = [process.pid for process in servers()]
    for seconds, order in ((1.5, 1), (2.5, -1)):
        with contextlib.ExitStack() as stack:
            for pid in everything[::order]:
                stack.enter_context(stopped(pid))
            await asyncio.sleep(seconds)
        await asyncio.sleep(1.0)
    jobs = [await finished(job_id) for job_id in job_ids]
    assert [(job.status, job.attempts) for job in jobs] == [("COMPLETED", 1)] * 4
    assert set(await worker_pids()) == pids


async def has_running(manager, number):
    return await running_count(manager) == number


@pytest.mark.parametrize("number", [signal.SIGRTMIN + 3, signal.SIGKILL])
async def test_a_worker_is_replaced_after_any_signal(make_service, finished, worker_pids, until, number):
    service = make_service()
    await service.start()
    (pid,) = await worker_pids()
    os.kill(pid, number)

    async def is_replaced():
        return await worker_pids() not in ([pid], [])

    await until(is_replaced)
    assert (await finished(await service.job("echo", 1))).result == 1
    await service.stop()


async def test_a_service_handles_signals_that_the_app_has_blocked_or_ignored(make_service, finished, worker_pids, kill):
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1})
    ignored = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    service = make_service()
    try:
        await service.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGHUP, ignored)
    (pid,) = await worker_pids()
    kill(pid)
    assert (await finished(await service.job("signals"))).result == {"blocked": [], "ignored": False}
    await service.stop()
