"""The outcome of a job for each behaviour of its handler."""

import asyncio
import os

import pytest

from tetherpy.jobs import BackgroundJobStatus

COMPLETED, FAILED, CANCELLED, PENDING, RUNNING = (
    BackgroundJobStatus[name] for name in ("COMPLETED", "FAILED", "CANCELLED", "PENDING", "RUNNING")
)


@pytest.fixture
async def service(shared_service):
    return await shared_service("plain_worker:initialize", unknown_key_grace=0.5)


async def outcomes(manager, job_id):
    return [attempt.outcome for attempt in await manager.get_attempts(job_id)]


async def test_the_return_value_is_the_result(service, finished):
    job = await finished(await service.job("echo", {"a": [1, None, "é"]}))
    assert (job.status, job.result, job.attempts) == (COMPLETED, {"a": [1, None, "é"]}, 1)


async def test_the_payload_is_decoded_to_the_annotated_type(service, finished):
    job = await finished(await service.job("greet", {"name": "Ann", "times": 2}))
    assert job.result == {"text": "hello Ann hello Ann"}


async def test_a_job_without_a_payload_passes_none(service, finished):
    assert (await finished(await service.job("greet_or_none"))).result == "nobody"


async def test_an_invalid_payload_fails_at_once_and_names_the_field(service, finished):
    job = await finished(await service.job("greet", {"name": "Ann", "times": "many"}))
    assert (job.status, job.attempts) == (FAILED, 1)
    assert "$.times" in job.last_error


async def test_an_unregistered_key_fails_and_names_the_registered_keys(service, finished):
    job = await finished(await service.job("grete"))
    assert (job.status, job.attempts) == (FAILED, 0)
    assert "'grete' (did you mean 'greet'?)" in job.last_error
    assert "greet_or_none" in job.last_error


async def test_an_exception_is_retried_until_no_attempts_are_left(service, finished, manager):
    job = await finished(await service.job("fail", max_attempts=3))
    assert (job.status, job.attempts) == (FAILED, 3)
    assert job.last_error == "ValueError: attempt 3 failed"
    attempts = await manager.get_attempts(job.id)
    assert [attempt.outcome for attempt in attempts] == ["failed"] * 3
    assert [attempt.error for attempt in attempts] == [f"ValueError: attempt {n} failed" for n in (1, 2, 3)]
    assert "plain_worker.py" in attempts[0].traceback
    assert "tetherpy" not in attempts[0].traceback


async def test_do_not_retry_fails_the_job_at_once(service, finished):
    job = await finished(await service.job("hopeless", max_attempts=5))
    assert (job.status, job.attempts, job.last_error) == (FAILED, 1, "DoNotRetry: no use")


async def test_a_snoozed_attempt_is_not_counted(service, finished, manager, tmp_path):
    job = await finished(await service.job("snooze_once", str(tmp_path / "marker"), max_attempts=1))
    assert (job.status, job.result, job.attempts) == (COMPLETED, 1, 1)
    assert await outcomes(manager, job.id) == ["snoozed", "completed"]


async def test_a_handler_cancels_its_job(service, finished):
    job = await finished(await service.job("give_up"))
    assert job.status == CANCELLED
    assert "not needed any more" in job.last_error


@pytest.mark.parametrize("options", [{"timeout": 0.05}, {}])
async def test_a_timeout_fails_the_attempt(service, finished, manager, options):
    key = "nap" if options else "short"
    job = await finished(await service.job(key, 30.0, max_attempts=2, **options))
    assert (job.status, job.attempts) == (FAILED, 2)
    assert job.last_error.startswith("JobTimeoutError")
    assert await outcomes(manager, job.id) == ["failed", "failed"]


async def test_a_timeout_of_a_handler_that_ignores_it_fails_the_attempt(service, finished):
    job = await finished(await service.job("stubborn", 6.0, timeout=0.05, max_attempts=1))
    assert job.status == FAILED
    assert job.last_error.startswith("JobTimeoutError")
    # It occupies its slot; the other slots are used.
    assert (await finished(await service.job("echo", 1))).result == 1


async def test_a_plain_function_runs_in_a_thread(service, finished):
    naps = [await service.job("nap_in_thread", 0.2) for _ in range(5)]
    assert (await finished(await service.job("echo", "meanwhile"))).result == "meanwhile"
    assert {(await finished(nap)).result for nap in naps} == {"rested"}


async def test_a_plain_function_writes_enqueues_and_completes_in_one_transaction(service, finished, manager):
    job = await finished(await service.job("hand_over", "tea"))
    assert (job.progress, job.progress_message) == (0.5, "handed over tea")
    assert (await finished(job.result)).result == "tea"
    failed = await finished(await service.job("hand_over", "too hot", max_attempts=1))
    assert (failed.status, failed.last_error) == (FAILED, "ValueError: too hot")
    rows = await manager.database.get_all("SELECT word FROM handed_over")
    assert [row["word"] for row in rows] == ["tea"]
    assert not [job for job in await manager.get_jobs_by_job_key("echo") if job.payload == "too hot"]


async def test_a_running_job_is_cancelled(service, finished, manager, until):
    job_id = await service.job("nap", 60.0)
    await until(lambda: is_running(manager, job_id))
    await manager.cancel_job(job_id)
    job = await finished(job_id)
    assert (job.status, job.attempts) == (CANCELLED, 1)
    assert await outcomes(manager, job_id) == ["cancelled"]


async def test_a_handler_in_a_thread_sees_its_cancellation(service, finished, manager, until):
    job_id = await service.job("wait_in_thread")
    await until(lambda: is_running(manager, job_id))
    await manager.cancel_job(job_id)
    job = await finished(job_id)
    assert (job.status, job.result) == (CANCELLED, None)


async def is_running(manager, job_id):
    return (await manager.get_job_by_id(job_id)).status == RUNNING


async def test_progress_is_pushed_while_the_job_runs(service, manager, until):
    job_id = await service.job("progress", 30.0)

    async def progress():
        job = await manager.get_job_by_id(job_id)
        return (job.progress, job.progress_message) == (0.4, "step 2 of 5")

    await until(progress)


async def test_the_last_progress_is_stored(service, finished):
    job = await finished(await service.job("progress", 0.0))
    assert (job.status, job.progress, job.progress_message) == (COMPLETED, 0.4, "step 2 of 5")


async def test_a_result_that_is_not_json_fails_and_names_its_path(service, finished):
    job = await finished(await service.job("unencodable"))
    assert (job.status, job.attempts) == (FAILED, 1)
    assert "$.when.what" in job.last_error


@pytest.mark.parametrize("key", ["exit", "exit_in_thread"])
async def test_sys_exit_fails_only_the_job(service, finished, worker_pids, key):
    before = await worker_pids()
    job = await finished(await service.job(key, max_attempts=1))
    assert (job.status, job.last_error) == (FAILED, "SystemExit: 3")
    assert await worker_pids() == before


@pytest.mark.parametrize("key", ["fork_and_return", "fork_and_await", "fork_in_thread"])
async def test_a_forked_child_is_not_a_worker(service, finished, manager, key):
    job = await finished(await service.job(key, max_attempts=1))
    assert (job.status, job.result) == (COMPLETED, 70)
    assert await outcomes(manager, job.id) == ["completed"]


async def test_error_text_that_cannot_be_stored_is_escaped(service, finished):
    job = await finished(await service.job("surrogate", max_attempts=1))
    assert job.last_error == "ValueError: broken \\ud800 text\\x00"


async def test_jobs_run_by_priority(make_service, finished):
    service = make_service(concurrency=1)
    low = [await service.job("whoami", priority=0) for _ in range(3)]
    high = await service.job("whoami", priority=5)
    await service.start()
    ended = [await finished(job_id) for job_id in (high, *low)]
    starts = [job.last_attempt_at for job in ended]
    assert starts == sorted(starts)
    await service.stop(0)


async def test_a_worker_has_the_folder_of_the_app_and_a_separate_session(service, finished):
    there = (await finished(await service.job("whoami"))).result
    assert there["cwd"] == os.getcwd()
    assert there["session"] != os.getsid(0)
    assert there["pid"] != os.getpid()


@pytest.mark.new_interpreter
async def test_a_worker_does_not_import_modules_of_apps_and_tools(make_service, finished):
    service = make_service()
    await service.start()
    loaded = set((await finished(await service.job("modules"))).result)
    assert not loaded & {
        "reactivex",
        "tetherpy.jobs.manager",
        "tetherpy.jobs.live.live_views",
        "typer",
        "rich",
        "tetherpy.reactive",
        "starlette",
        "uvicorn",
        "textual",
    }
    await service.stop(0)


async def test_a_delayed_job_runs_when_it_is_due(service, finished):
    job = await finished(await service.job("echo", delay=0.3))
    assert job.last_attempt_at >= job.run_at


async def test_jobs_run_concurrently_up_to_the_limit(make_service, manager, until):
    service = make_service(concurrency=4)
    await service.start()
    for _ in range(6):
        await service.job("nap", 60.0)
    await until(lambda: counted(manager, running=4, pending=2))
    await asyncio.sleep(0)
    assert await counted(manager, running=4, pending=2)
    await service.stop(0)


async def counted(manager, **expected):
    counts = await manager.get_counts()
    return all(getattr(counts, name) == number for name, number in expected.items())


async def test_a_worker_whose_slots_all_ignore_their_timeout_is_replaced(make_service, finished, worker_log):
    service = make_service(concurrency=2)
    await service.start()
    stuck = [await service.job("nap_in_thread", 60.0, timeout=0.1, max_attempts=1) for _ in range(2)]
    assert [(await finished(job_id)).status for job_id in stuck] == ["FAILED"] * 2
    assert (await finished(await service.job("echo", 1))).result == 1
    assert "All 2 slots of worker" in worker_log.read_text()
    await service.stop()
