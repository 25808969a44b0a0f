"""``run_worker``: the same workers in the foreground, ended by signals."""

import asyncio
import os
import signal
import sys
import textwrap

import pytest

COMPLETED, PENDING = "COMPLETED", "PENDING"


@pytest.fixture
async def run(database_path):
    """Return a function that starts a foreground worker as a process."""
    processes = []

    async def start(callback="plain_worker:initialize", before="", **streams):
        script = textwrap.dedent(
            f"""
            {before}
            import sys
            sys.path[:0] = {sys.path[:1]!r}
            from tetherpy.service import run_worker
            sys.exit(run_worker({str(database_path)!r}, {callback!r}))
            """
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            script,
            **{"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.STDOUT, **streams},
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.fixture
def nap(make_service, manager, until, worker_pids):
    """Return a function that starts a job of a given number of seconds."""

    async def start(seconds, key="nap"):
        await until(worker_pids)
        job_id = await make_service().job(key, seconds)

        async def runs():
            job = await manager.get_job_by_id(job_id)
            return job.status == "RUNNING" and (key not in ("progress", "program") or job.progress is not None)

        await until(runs)
        return job_id

    return start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_one_signal_finishes_running_jobs(run, nap, manager, number):
    process = await run()
    job_id = await nap(0.5, "progress")
    process.send_signal(number)
    assert await process.wait() == 0
    assert (await manager.get_job_by_id(job_id)).status == COMPLETED


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("key", ["nap", "nap_in_thread"])
async def test_a_second_signal_releases_running_jobs(run, nap, manager, until, database_path, number, key):
    process = await run()
    job_id = await nap(4.0 if key == "nap_in_thread" else 60.0, key)
    process.send_signal(number)
    await until(lambda: not socket_path(database_path).exists())
    process.send_signal(number)
    assert await process.wait() == 0
    job = await manager.get_job_by_id(job_id)
    assert (job.status, job.attempts) == (PENDING, 0)


def socket_path(database_path):
    """Return the path that is removed when the first signal has arrived."""
    return database_path.with_name("app.db-service") / "service.sock"


async def test_output_goes_to_the_terminal(run, make_service, finished, until, worker_pids):
    process = await run()
    await until(worker_pids)
    await finished(await make_service().job("print", 2048))
    process.send_signal(signal.SIGTERM)
    output, _ = await process.communicate()
    assert output.count(b"x" * 1023) == 2


async def test_an_app_attaches_to_the_worker_and_stops_it(run, make_service, until, worker_pids):
    process = await run()
    before = await until(worker_pids)
    service = make_service()
    await service.start()
    assert await worker_pids() == before
    await service.stop()
    assert await process.wait() == 0


async def test_a_second_foreground_worker_is_refused(run, until, worker_pids):
    await run()
    await until(worker_pids)
    second = await run()
    output, _ = await second.communicate()
    assert second.returncode == 1
    assert b"ServiceAlreadyRunningError" in output


async def test_an_error_in_the_callback_ends_the_worker(run):
    process = await run("odd_worker:raises")
    output, _ = await process.communicate()
    assert process.returncode == 1
    assert b"the moon does not answer" in output
    assert b"odd_worker.py" in output


async def test_ctrl_c_in_a_terminal_does_not_reach_programs_of_jobs(run, nap, finished):
    process = await run(start_new_session=True)
    job_id = await nap(1.0, "program")
    # A terminal sends it to the whole group in the foreground.
    os.killpg(process.pid, signal.SIGINT)
    assert (await finished(job_id)).result == 0
    assert await process.wait() == 0


@pytest.mark.parametrize("stderr", ["closed pipe", "full disk", "closed"])
async def test_unwritable_output_does_not_end_the_worker(run, finished, make_service, worker_pids, until, kill, stderr):
    if stderr == "closed pipe":
        reading, writing = os.pipe()
        os.close(reading)
    else:
        writing = os.open("/dev/full", os.O_WRONLY)
    script = "import os; os.close(1); os.close(2)" if stderr == "closed" else ""
    process = await run(before=script, stdout=writing, stderr=writing)
    os.close(writing)
    assert (await finished(await make_service().job("echo", 0))).result == 0
    (pid,) = await worker_pids()
    kill(pid)

    async def is_replaced():
        return await worker_pids() not in ([pid], [])

    await until(is_replaced)
    assert (await finished(await make_service().job("echo", 1))).result == 1
    process.terminate()
    assert await process.wait() == 0
