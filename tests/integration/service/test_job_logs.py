"""The log of a worker, and the log of each attempt."""

import json
import re

import pytest

CALLBACK = "logging_worker:initialize"


@pytest.fixture
def start(make_service):
    """Return a function that starts a service; it is stopped by its database's fixture."""

    async def start(callback=CALLBACK, **options):
        service = make_service(callback, **options)
        await service.start()
        return service

    return start


@pytest.fixture
def logged(worker_log, until):
    """Return a function that waits for a text in the worker's log."""

    async def wait(text):
        await until(lambda: worker_log.exists() and text in worker_log.read_text())
        return worker_log.read_text()

    return wait


async def logs_of(manager, job_id):
    return [attempt.logs for attempt in await manager.get_attempts(job_id)]


async def test_each_outcome_is_one_line(start, logged, manager, finished, until):
    service = await start()
    done, failed, cancelled = [await service.job(key, max_attempts=2) for key in ("quiet", "fail", "cancel")]
    snoozed = await service.job("snooze")
    for job_id in (done, failed, cancelled):
        await finished(job_id)
    await logged(f"Job {snoozed} (snooze) snoozed")
    text = await logged(f"ERROR tetherpy.jobs: Job {failed} (fail) failed at attempt 2 of 2 after ")
    assert re.search(rf"Z INFO tetherpy\.jobs: Job {done} \(quiet\) completed in [0-9.]+ m?s\n", text)
    retry = rf"WARNING tetherpy\.jobs: Job {failed} \(fail\) failed at attempt 1 of 2 after \S+ m?s; retry in \S+ m?s: "
    assert re.search(retry + r"ValueError: no such customer\n", text)
    assert re.search(rf"INFO tetherpy\.jobs: Job {cancelled} \(cancel\) cancelled after \S+ m?s: not needed\n", text)
    assert text.count("    Traceback (most recent call last):") == 1
    assert "in fail\n" in text


async def test_every_record_of_a_handler_has_the_fields_of_its_job(start, logged, finished, manager):
    service = await start()
    job_id = await service.job("talk")
    await finished(job_id)
    text = await logged(f"Job {job_id} (talk) completed")
    job = rf" \[job {job_id} talk attempt 1\]: "
    for line in ("INFO shop{}from the loop", "INFO stdout{}printed", "INFO stderr{}to stderr"):
        assert re.search(line.format(job), text), line
    for line in ("WARNING shop{}from a thread", "INFO shop{}from a task", "INFO stdout{}no line break"):
        assert re.search(line.format(job), text), line
    assert "[job mine talk attempt 1]: own id" in text
    in_thread = await service.job("talk_in_thread")
    await finished(in_thread)
    text = await logged(f"Job {in_thread} (talk_in_thread) completed")
    assert f"[job {in_thread} talk_in_thread attempt 1]: plain def" in text
    assert f"[job {in_thread} talk_in_thread attempt 1]: printed by def" in text
    (stored,) = await logs_of(manager, job_id)
    assert [line.partition("Z ")[2] for line in stored.splitlines()] == [
        "INFO shop: from the loop",
        "INFO stdout: printed",
        "INFO stderr: to stderr",
        "WARNING shop: from a thread",
        "INFO shop: from a task",
        "INFO shop: own id",
        "INFO stdout: no line break",
    ]


async def test_the_logging_of_the_app_is_kept_and_gets_the_fields(start, logged, finished, manager):
    service = await start("logging_worker:initialize_with_own_logging")
    job_id = await service.job("talk")
    await finished(job_id)
    text = await logged("no line break")
    assert f"own {job_id} talk 1 from the loop\n" in text
    assert f"own {job_id} talk 1 from a thread\n" in text
    assert "own mine talk 1 own id\n" in text
    (stored,) = await logs_of(manager, job_id)
    assert stored.count("from the loop") == 1


async def test_json_is_one_object_per_line(start, logged, finished, manager):
    service = await start(log_format="json", log_level="debug")
    jobs = [await service.job(key, max_attempts=1) for key in ("talk", "fail", "hostile")]
    for job_id in jobs:
        await finished(job_id)
    text = await logged(f"Job {jobs[2]} (hostile) completed")
    records = [json.loads(line) for line in text.splitlines()]
    mine = [record for record in records if record.get("job_key") == "talk"]
    assert {record["message"] for record in mine} >= {"printed", "from a thread", "from the loop"}
    assert all(record["attempt"] == 1 for record in mine)
    (failed,) = [record for record in records if record.get("outcome") == "failed"]
    assert (failed["level"], failed["job_id"], failed["logger"]) == ("ERROR", jobs[1], "tetherpy.jobs")
    assert failed["duration"] < 25
    assert failed["exception"].endswith("ValueError: no such customer")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)


async def test_a_level_leaves_out_what_is_below(start, logged, finished, manager):
    service = await start(log_level="WARNING")
    quiet, failed = await service.job("talk"), await service.job("fail", max_attempts=1)
    await finished(quiet)
    await finished(failed)
    text = await logged(f"Job {failed} (fail) failed")
    assert "INFO shop" not in text
    assert f"Job {quiet}" not in text
    assert "from a thread" in text
    assert "printed" in text


async def test_hostile_text_is_harmless(start, logged, finished, manager):
    service = await start()
    job_id = await service.job("hostile")
    assert (await finished(job_id)).status == "COMPLETED"
    text = await logged(f"Job {job_id} (hostile) completed")
    (stored,) = await logs_of(manager, job_id)
    for harmless in (text, stored):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", harmless)
        assert not re.search("^2026-01-01T00:00:00.000Z CRITICAL", harmless, re.MULTILINE)
        assert r"nul \x00, surrogate \ud800, escape \x1b[31m, <script>" in harmless
    assert len(stored.encode()) < 40_000
    assert len(text) < 1_000_000


async def test_a_handler_that_logs_without_end_is_bounded(start, finished, manager):
    service = await start("logging_worker:initialize", log_level="INFO")
    job_id = await service.job("much", 50_000)
    await finished(job_id)
    (stored,) = await logs_of(manager, job_id)
    lines = stored.splitlines()
    assert len(lines) <= 501
    assert len(stored.encode()) <= 33_000
    assert lines[0].endswith("shop: line 0")
    assert lines[-1].endswith("shop: line 49999")
    (gap,) = [line for line in lines if line.startswith("...")]
    assert gap == f"... {50_000 - len(lines) + 1:,} lines left out ..."


async def test_a_killed_attempt_keeps_what_was_stored(start, kill, finished, manager, until, tmp_path):
    service = await start()
    job_id = await service.job("crash", str(tmp_path / "go"), max_attempts=1)

    async def is_stored():
        attempts = await manager.get_attempts(job_id)
        return attempts and attempts[-1].logs

    assert (await until(is_stored)).endswith("shop: before the crash")
    (tmp_path / "go").touch()
    await finished(job_id)
    (stored,) = await logs_of(manager, job_id)
    assert stored.endswith("shop: before the crash")


async def test_without_job_logs_nothing_is_stored(start, logged, finished, manager):
    service = await start(job_logs=False)
    job_id = await service.job("talk")
    await finished(job_id)
    assert await logs_of(manager, job_id) == [None]
    assert f"[job {job_id} talk attempt 1]: printed" in await logged(f"Job {job_id} (talk) completed")
