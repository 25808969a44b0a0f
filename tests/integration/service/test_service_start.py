"""Starting, attaching, stopping, and the races between them."""

import asyncio
import os
import socket
import subprocess
import sys
import textwrap
from datetime import timedelta

import psutil
import pytest

from tetherpy.service import (
    BackgroundService,
    CallbackNameError,
    ServiceDiffersError,
    ServiceFolderError,
    WorkerStartError,
)


async def test_start_returns_when_the_worker_accepts_jobs(make_service, worker_pids, servers):
    service = make_service()
    assert not await service.is_running()
    await service.start()
    assert await service.is_running()
    (pid,) = await worker_pids()
    assert pid in {process.pid for process in servers()}
    await service.stop()
    assert not await service.is_running()
    assert servers() == []
    assert await worker_pids() == []


async def test_a_second_start_attaches(make_service, worker_pids):
    first, second = make_service(), make_service()
    await first.start()
    before = await worker_pids()
    await second.start()
    await first.start()
    assert await worker_pids() == before
    assert await second.is_running()


OTHER_SETTINGS = {
    "app_initialization_callback": "crash_worker:initialize",
    "concurrency": 3,
    "processes": 2,
    "queues": ("mail",),
    "retention": timedelta(days=1),
    "lease": timedelta(seconds=20),
}


async def test_a_start_with_other_settings_is_an_error_that_names_both(make_service, database_path, worker_pids):
    running = make_service()
    await running.start()
    before = await worker_pids()
    for name, value in OTHER_SETTINGS.items():
        settings = {"app_initialization_callback": "plain_worker:initialize", name: value}
        with pytest.raises(ServiceDiffersError, match="if_running") as raised:
            await BackgroundService(database_path, **settings).start()
        assert "plain_worker:initialize, concurrency 10, processes 1, all queues" in raised.value.running
        assert raised.value.wanted != raised.value.running
    assert await worker_pids() == before


async def test_a_start_with_other_settings_attaches_or_restarts_on_request(make_service, worker_pids, until):
    await make_service().start()
    before = await worker_pids()
    await make_service(processes=2, if_running="attach").start()
    assert await worker_pids() == before
    await make_service(if_running="restart").start()
    assert await worker_pids() == before
    other = make_service(processes=2, if_running="restart")
    await other.start()
    assert len(set(await worker_pids()) - set(before)) == 2
    states = []
    subscription = other.state.subscribe(states.append)
    await until(lambda: states and states[-1].settings is not None)
    assert (states[-1].settings.callback, states[-1].settings.processes) == ("plain_worker:initialize", 2)
    subscription.dispose()


async def test_a_worker_that_ends_runs_its_exit_handlers_and_leaves_no_pool(make_service, finished, tmp_path):
    service = make_service()
    await service.start()
    child = (await finished(await service.job("leave_at_exit", str(tmp_path / "ran")))).result
    await service.stop()
    assert (tmp_path / "ran").read_text() == "ran"
    assert not psutil.pid_exists(child)


async def test_an_app_on_uvloop_starts_its_workers(database_path, servers, worker_pids):
    """uvloop, which uvicorn prefers, runs fork hooks in the children that asyncio starts."""
    script = (
        f"import sys; sys.path[:0] = {sys.path[:1]!r}\n"
        "import uvloop\n"
        "from tetherpy.service import BackgroundService\n"
        f"uvloop.run(BackgroundService({str(database_path)!r}, 'plain_worker:initialize').start())"
    )
    starter = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    assert await starter.wait() == 0
    assert len(await worker_pids()) == 1
    assert len(servers()) == 2


async def test_many_processes_start_one_process_group(make_service, database_path, servers, worker_pids):
    script = textwrap.dedent(
        f"""
        import asyncio, sys
        sys.path[:0] = {sys.path[:1]!r}
        from tetherpy.service import BackgroundService

        async def main():
            service = BackgroundService({str(database_path)!r}, "odd_worker:slow")
            await asyncio.gather(*(service.start() for _ in range(2)))
            assert await service.is_running()

        asyncio.run(main())
        """
    )
    starters = [await asyncio.create_subprocess_exec(sys.executable, "-W", "error", "-c", script) for _ in range(5)]
    assert [await starter.wait() for starter in starters] == [0] * 5
    assert len(await worker_pids()) == 1
    assert len(servers()) == 2
    await make_service().stop()


async def test_an_error_in_the_callback_is_an_error_of_start(make_service, servers, until):
    service = make_service("odd_worker:raises")
    with pytest.raises(WorkerStartError) as caught:
        await service.start()
    assert "RuntimeError: the moon does not answer" in str(caught.value)
    assert "odd_worker.py" in caught.value.worker_traceback
    assert "connecting to the moon" in caught.value.log_tail
    await until(lambda: servers() == [])
    assert not await service.is_running()


@pytest.mark.parametrize(
    ("callback", "reason"),
    [
        ("no_such_module:initialize", "No module named 'no_such_module'"),
        ("odd_worker:nothing", "odd_worker has no nothing"),
        ("odd_worker:not_callable", "cannot be called"),
        ("odd_worker:raises_much", "raised RuntimeError: xxx"),
        ("odd_worker:exits", "exited with status 7"),
        ("odd_worker:says_exit", "SystemExit: enough"),
        ("odd_worker:crashes", "killed by SIGSEGV"),
        ("odd_worker:registers_twice", "it has a handler already"),
        ("odd_worker:stops_itself", "ended before it was ready"),
    ],
)
async def test_a_worker_that_does_not_become_ready_is_an_error_of_start(make_service, servers, until, callback, reason):
    service = make_service(callback)
    with pytest.raises(WorkerStartError, match=reason):
        await service.start()
    # All were killed; the system may need a moment.
    await until(lambda: servers() == [])
    assert not await service.is_running()


async def test_start_has_a_timeout(make_service, servers, until):
    service = make_service("odd_worker:hangs", start_timeout=1.0)
    with pytest.raises(WorkerStartError, match="not ready within 1 s"):
        await service.start()
    await until(lambda: servers() == [])
    assert not await service.is_running()


async def test_a_cancelled_start_leaves_no_process(make_service, servers, until):
    service = make_service("odd_worker:hangs")
    start = asyncio.create_task(service.start())
    await until(lambda: len(servers()) >= 2)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    await until(lambda: servers() == [])
    assert not await service.is_running()


async def test_start_works_after_a_failed_one(make_service, finished):
    with pytest.raises(WorkerStartError):
        await make_service("odd_worker:raises").start()
    service = make_service()
    await service.start()
    assert (await finished(await service.job("echo", 1))).result == 1


async def test_a_plain_function_or_a_callable_may_be_the_callback(make_service, finished):
    import odd_worker

    service = make_service(odd_worker.plain)
    await service.start()
    assert (await finished(await service.job("echo", 1))).result == 1


async def test_a_callback_without_an_importable_name_is_refused(tmp_path):
    for callback in ("no colon", "a:b:c", ":f"):
        with pytest.raises(CallbackNameError, match=r"package\.module:function"):
            BackgroundService(tmp_path / "app.db", callback)
    with pytest.raises(CallbackNameError, match=r"package\.module:function"):
        await BackgroundService(tmp_path / "app.db", lambda service: None).start()


async def test_a_missing_folder_is_an_error_of_start(tmp_path):
    service = BackgroundService(tmp_path / "nowhere" / "app.db", "plain_worker:initialize")
    assert not await service.is_running()
    with pytest.raises(ServiceFolderError, match="nowhere"):
        await service.start()


async def test_a_file_that_is_not_a_database_is_an_error_of_start(make_service, database_path, servers, until):
    database_path.write_bytes(b"certainly not SQLite" * 100)
    with pytest.raises(WorkerStartError, match="database"):
        await make_service().start()
    await until(lambda: servers() == [])


async def test_stop_does_nothing_without_a_service(make_service):
    await make_service().stop()


async def test_stop_works_during_a_start(make_service, until):
    service = make_service("odd_worker:hangs")
    start = asyncio.create_task(service.start())
    await until(service.is_running)
    await make_service().stop(1)
    with pytest.raises(WorkerStartError, match="ended before it was ready"):
        await start
    assert not await service.is_running()


async def test_start_waits_for_a_stop(make_service, manager, until, worker_pids):
    service = make_service()
    await service.start()
    before = await worker_pids()
    job_id = await service.job("progress", 0.5)
    await until(lambda: has_begun(manager, job_id))
    stop = asyncio.create_task(service.stop())
    await until(lambda: not (service._files.socket).exists())
    await make_service().start()
    assert stop.done()
    assert (await manager.get_job_by_id(job_id)).status == "COMPLETED"
    assert await worker_pids() != before


async def has_begun(manager, job_id):
    """Return whether the handler of a "progress" job runs: a job that is only claimed may be released."""
    return (await manager.get_job_by_id(job_id)).progress is not None


async def count_running(manager):
    return (await manager.get_counts()).running


async def test_stop_finishes_running_jobs(make_service, manager, until):
    service = make_service(concurrency=1)
    await service.start()
    running = await service.job("progress", 0.4)
    waiting = await service.job("progress", 0.4)
    await until(lambda: has_begun(manager, running))
    await service.stop()
    assert (await manager.get_job_by_id(running)).status == "COMPLETED"
    assert (await manager.get_job_by_id(waiting)).status == "PENDING"


@pytest.mark.parametrize("key", ["nap", "nap_in_thread", "stubborn"])
async def test_stop_releases_jobs_that_do_not_finish_in_time(make_service, manager, until, servers, key):
    service = make_service()
    await service.start()
    job_id = await service.job(key, 5.0)
    await until(lambda: count_running(manager))
    await service.stop(0.1)
    assert servers() == []
    job = await manager.get_job_by_id(job_id)
    assert (job.status, job.attempts, job.claimed_by) == ("PENDING", 0, None)
    assert [attempt.outcome for attempt in await manager.get_attempts(job_id)] == ["released"]


async def test_a_detached_worker_outlives_its_app(make_service, database_path, worker_pids, finished):
    await run_app(database_path, "await service.start()")
    service = make_service()
    assert await service.is_running()
    assert len(await worker_pids()) == 1
    assert (await finished(await service.job("echo", 1))).result == 1


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 9)", "await service.aclose()", "pass"])
async def test_an_attached_worker_ends_with_its_app(make_service, database_path, until, servers, manager, end):
    app = f"await service.start(); await service.job('nap', 60.0); {end}"
    await run_app(database_path, app, detached=False)
    await until(lambda: servers() == [])
    (job,) = await manager.get_all_jobs()
    assert (job.status, job.attempts) == ("PENDING", 0)


FORKS = """
reading, writing = os.pipe()

def fork():
    if not os.fork():
        os.close(writing)
        os.read(reading, 1)  # lives until the app ends or lets it go
        os._exit(0)
"""


async def test_a_forked_child_of_the_app_does_not_keep_an_attached_worker_alive(database_path, servers):
    body = "fork(); await service.start(); fork(); await service.aclose(); await until_gone(); os.close(writing)"
    assert await run_app(database_path, body, detached=False, before=FORKS) == 0
    assert servers() == []


async def test_forked_children_of_a_start_keep_neither_lock_nor_socket(database_path, servers):
    body = """
            async def forks():
                for _ in range(12):
                    fork()
                    await asyncio.sleep(0.02)

            for _ in range(2):
                await asyncio.gather(service.start(), forks())
                await service.stop(1)
                assert not await service.is_running()
            os.close(writing)
    """
    assert await run_app(database_path, body, before=FORKS) == 0
    assert servers() == []


async def run_app(database_path, body, before="", **options):
    script = f"""
import asyncio, os, sys
sys.path[:0] = {sys.path[:1]!r}
from tetherpy.service import BackgroundService
{before}
async def main():
    service = BackgroundService({str(database_path)!r}, "plain_worker:initialize", **{options!r})

    async def until_gone():
        async with asyncio.timeout(20):
            while await service.is_running():
                await asyncio.sleep(0.01)

{textwrap.indent(textwrap.dedent(body), "    ")}

asyncio.run(main())
"""
    app = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    return await app.wait()


async def test_a_long_path_is_supported(tmp_path, make_service):
    folder = tmp_path / ("a" * 60) / ("b" * 60)
    folder.mkdir(parents=True)
    service = BackgroundService(folder / "app.db", "plain_worker:initialize")
    await service.start()
    assert await service.is_running()
    await service.stop(0)
    await service.aclose()


async def test_the_database_of_the_callback_is_used_and_stays_open(make_service, finished, tmp_path):
    service = make_service("odd_worker:with_database")
    await service.start()
    assert (await finished(await service.job("count"))).result == 1
    assert (tmp_path / "trace").read_text() == "entered"
    await service.stop()
    assert (tmp_path / "trace").read_text() == "left"


async def test_a_job_can_be_completed_in_a_transaction_of_the_handler(make_service, finished, database):
    service = make_service("odd_worker:with_database")
    await service.start()
    job = await finished(await service.job("count_exactly"))
    assert (job.status, job.result, job.attempts) == ("COMPLETED", {"stored": True}, 1)
    await service.stop()
    rows = await database.get_all("SELECT job FROM effects")
    assert [row["job"] for row in rows] == [job.id]


async def test_a_service_has_several_processes(make_service, worker_pids, finished):
    service = make_service(processes=3, concurrency=1)
    await service.start()
    assert len(set(await worker_pids())) == 3
    jobs = [await service.job("nap_in_thread", 0.2) for _ in range(3)]
    workers = {job.last_attempt_at for job in [await finished(job_id) for job_id in jobs]}
    assert len(workers) == 3
    await service.stop()
    assert await worker_pids() == []


async def test_workers_inherit_no_descriptors_of_the_app(make_service, database_path, servers):
    with socket.socket() as listener:
        os.set_inheritable(listener.fileno(), False)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        inode = os.fstat(listener.fileno()).st_ino
        service = make_service()
        await service.start()
        processes = servers()
        assert len(processes) == 2
        for process in processes:
            held = [os.stat(f"/proc/{process.pid}/fd/{fd}").st_ino for fd in fds_of(process.pid)]
            assert inode not in held


def fds_of(pid):
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            os.stat(f"/proc/{pid}/fd/{fd}")
        except OSError:
            continue
        found.append(fd)
    return found


@pytest.mark.new_interpreter
def test_the_worker_process_has_the_documented_command_line(database_path, servers):
    """``ps`` shows ``python -m tetherpy.service``."""
    script = (
        f"import asyncio, sys; sys.path[:0] = {sys.path[:1]!r}\n"
        "from tetherpy.service import BackgroundService\n"
        f"asyncio.run(BackgroundService({str(database_path)!r}, 'plain_worker:initialize').start())"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)
    commands = [" ".join(process.cmdline()) for process in servers()]
    assert len(commands) == 2
    assert all("-m tetherpy.service" in command for command in commands)
