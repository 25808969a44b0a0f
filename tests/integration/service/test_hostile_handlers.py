"""Misbehaving handlers, extreme data and full disks: the job has a defined end, and the other jobs continue."""

import asyncio
import resource
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tetherpy.database import Database, DatabaseLockedError, SchemaNewerError
from tetherpy.jobs import (
    JOB_MIGRATIONS,
    MAX_PAYLOAD_BYTES,
    BackgroundJobManager,
    BackgroundJobStatus,
    PayloadEncodeError,
    PayloadTooLargeError,
    SqliteJobEngine,
)
from tetherpy.service import WorkerStartError

COMPLETED, FAILED, RUNNING = (BackgroundJobStatus[name] for name in ("COMPLETED", "FAILED", "RUNNING"))
SHORT_LEASE = timedelta(seconds=0.5)
MEGABYTES_10 = 10 << 20
APPS = Path(__file__).parent / "apps"


@pytest.fixture
def make(make_service):
    def make(callback="hostile_worker:initialize", **options):
        return make_service(callback, **options)

    return make


@pytest.fixture
async def service(shared_service):
    return await shared_service("hostile_worker:initialize")


@pytest.fixture
def log(database_path):
    """Return a function that reads what workers have logged since the test began."""
    path = database_path.with_name("app.db-service") / "worker.log"
    before = path.stat().st_size if path.exists() else 0
    return lambda: path.read_bytes()[before:].decode(errors="replace")


@pytest.fixture
def others_are_served(service, finished):
    async def check():
        job = await finished(await service.job("echo", "still here"))
        assert (job.status, job.result, job.attempts) == (COMPLETED, "still here", 1)

    return check


# --- handlers -------------------------------------------------------------------------------------


async def test_a_handler_that_never_yields_loses_its_worker_and_its_attempts(make, finished, manager, tmp_path):
    service = make(lease=SHORT_LEASE)
    await service.start()
    job = await finished(await service.job("never_yields", str(tmp_path / "begun"), max_attempts=2))
    assert (job.status, job.attempts) == (FAILED, 2)
    outcomes = [attempt.outcome for attempt in await manager.get_attempts(job.id)]
    assert set(outcomes) <= {"worker died", "lease expired"}
    assert (await finished(await service.job("echo", 1))).result == 1
    await service.stop(0)


async def test_other_jobs_of_a_worker_that_never_yields_run_in_other_workers(make, finished, tmp_path, until):
    service = make(lease=SHORT_LEASE, processes=2)
    await service.start()
    neighbours = [await service.job("waits_for_file", str(tmp_path / f"neighbour{n}")) for n in range(6)]
    await until(lambda: all((tmp_path / f"neighbour{n}").exists() for n in range(6)))
    blocker = await service.job("never_yields", str(tmp_path / "begun"), max_attempts=1)
    await until((tmp_path / "begun").exists)
    for n in range(6):
        (tmp_path / f"neighbour{n}.go").touch()
    jobs = [await finished(job_id) for job_id in neighbours]
    assert {(job.status, job.result) for job in jobs} == {(COMPLETED, "done")}
    assert (await finished(blocker)).status == FAILED
    await service.stop(0)


async def test_a_handler_that_ignores_its_cancellation_is_awaited(
    service, finished, manager, until, tmp_path, others_are_served
):
    begun = tmp_path / "begun"
    job_id = await service.job("ignores_cancellation", str(begun))
    await until(begun.exists)
    assert (await manager.cancel_job(job_id)).status == RUNNING
    await until(begun.with_suffix(".asked").exists)
    await others_are_served()
    assert (await manager.get_job_by_id(job_id)).status == RUNNING
    begun.with_suffix(".go").touch()
    job = await finished(job_id)
    assert (job.status, job.result) == (COMPLETED, "finished anyway")


@pytest.mark.parametrize("where", ["raises", "raises_in_thread"])
@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("BaseException", "Unheard: BaseException from a handler"),
        ("GeneratorExit", "GeneratorExit: GeneratorExit from a handler"),
        ("KeyboardInterrupt", "KeyboardInterrupt: KeyboardInterrupt from a handler"),
        ("CancelledError", "CancelledError: CancelledError from a handler"),
        ("StopIteration", "StopIteration"),
        ("StopAsyncIteration", "StopAsyncIteration"),
        ("MemoryError", "MemoryError: MemoryError from a handler"),
        ("TimeoutError", "TimeoutError: TimeoutError from a handler"),
        ("ExceptionGroup", "BaseExceptionGroup: ExceptionGroup from a handler"),
    ],
)
async def test_any_exception_of_a_handler_is_a_failed_attempt(
    service, finished, manager, worker_pids, others_are_served, where, what, message
):
    before = await worker_pids()
    job = await finished(await service.job(where, what, max_attempts=2))
    assert (job.status, job.attempts) == (FAILED, 2)
    assert message in job.last_error
    assert [attempt.outcome for attempt in await manager.get_attempts(job.id)] == ["failed"] * 2
    await others_are_served()
    assert await worker_pids() == before


@pytest.mark.parametrize(("key", "payload"), [("snoozes_for_ever", None), ("fails_for_ever", "TimeoutError")])
async def test_a_retry_delay_beyond_the_calendar_lasts_until_the_job_is_moved_manually(
    service, manager, until, key, payload, others_are_served
):
    job_id = await service.job(key, payload)

    async def waits():
        return (await manager.get_job_by_id(job_id)).run_at.year == 9999

    await until(waits)
    await others_are_served()
    assert (await manager.cancel_job(job_id)).status == "CANCELLED"


async def test_infinite_recursion_is_a_failed_attempt(service, finished, manager):
    job = await finished(await service.job("recurses", max_attempts=1))
    assert (job.status, job.last_error.partition(":")[0]) == (FAILED, "RecursionError")
    (attempt,) = await manager.get_attempts(job.id)
    assert len(attempt.traceback) < 100_000


async def test_a_crash_of_the_interpreter_costs_the_job_an_attempt_and_restarts_the_worker(
    service, finished, manager, others_are_served
):
    job = await finished(await service.job("crashes", max_attempts=2))
    assert (job.status, job.attempts) == (FAILED, 2)
    assert [attempt.outcome for attempt in await manager.get_attempts(job.id)] == ["worker died"] * 2
    await others_are_served()


@pytest.mark.parametrize(
    "key",
    ["closes_everything", "closes_the_database", "keeps_a_transaction_open", "cancels_every_task", "stops_the_loop"],
)
async def test_a_handler_that_breaks_its_worker_costs_the_job_an_attempt_and_restarts_the_worker(
    make, finished, manager, key
):
    service = make(lease=SHORT_LEASE)
    await service.start()
    job = await finished(await service.job(key, max_attempts=1))
    assert (job.status, job.attempts) == (FAILED, 1)
    assert [attempt.outcome for attempt in await manager.get_attempts(job.id)] == ["worker died"]
    assert (await finished(await service.job("echo", 1))).result == 1
    await service.stop(0)


async def test_other_jobs_run_although_a_handler_holds_every_descriptor(
    service, finished, until, tmp_path, others_are_served, worker_pids
):
    before = await worker_pids()
    begun = tmp_path / "begun"
    job_id = await service.job("holds_every_descriptor", str(begun))
    await until(begun.exists)
    await others_are_served()
    begun.with_suffix(".go").touch()
    assert (await finished(job_id)).result == "let go"
    assert await worker_pids() == before


async def test_a_worker_that_leaks_descriptors_continues(make, finished, worker_pids):
    service = make()
    await service.start()
    before = await worker_pids()
    job = await finished(await service.job("leaks_every_descriptor", max_attempts=2))
    assert (job.status, job.attempts) == (FAILED, 2)
    assert "Too many open files" in job.last_error
    for number in range(3):
        assert (await finished(await service.job("echo", number))).result == number
    assert await worker_pids() == before
    await service.stop(0)


async def test_a_supervisor_without_descriptors_starts_the_next_worker_when_it_can(
    service, finished, until, servers, worker_pids, kill, log
):
    (worker,) = await worker_pids()
    (supervisor,) = {process.pid for process in servers()} - {worker}
    soft, hard = resource.prlimit(supervisor, resource.RLIMIT_NOFILE)
    resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (1, hard))
    kill(worker)
    await until(lambda: "no worker could be forked" in log())
    calling = asyncio.create_task(service.invoke("hello"))
    job_id = await service.job("echo", "at last")
    resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (soft, hard))
    assert (await finished(job_id)).result == "at last"
    await calling
    assert supervisor in {process.pid for process in servers()}


@pytest.mark.parametrize(
    ("key", "result"),
    [("completes_itself", "in the transaction"), ("completes_and_undoes", "after it was undone")],
)
async def test_completing_in_a_transaction_counts_when_it_commits(service, finished, log, manager, key, result):
    job = await finished(await service.job(key))
    assert (job.status, job.result, job.attempts) == (COMPLETED, result, 1)
    # The next job is acknowledged in a later call than the one that rejects or stores this outcome.
    for _ in range(2):
        assert (await finished(await service.job("echo", 1))).result == 1
    assert "no longer belongs to this worker" not in log()
    assert [attempt.outcome for attempt in await manager.get_attempts(job.id)] == ["completed"]


async def test_a_program_that_a_handler_leaves_running_does_not_block_the_end_of_the_worker(
    make, finished, servers, kill
):
    service = make()
    await service.start()
    job = await finished(await service.job("runs_programs", "hello"))
    assert job.result["answer"] == "hello"
    try:
        await service.stop()
        assert servers() == []
        await service.start()
        assert (await finished(await service.job("echo", 1))).result == 1
        await service.stop()
    finally:
        kill(job.result["left"])


async def test_a_pool_of_forked_processes_works_and_does_not_damage_the_worker(
    service, finished, others_are_served, worker_pids, until, servers
):
    before = await worker_pids()
    number = len(servers())
    jobs = [await service.job("uses_a_pool", [-1, 2, -3]) for _ in range(3)]
    assert [(await finished(job_id)).result for job_id in jobs] == [[1, 2, 3]] * 3
    await others_are_served()
    assert await worker_pids() == before
    await until(lambda: len(servers()) == number)


async def test_a_forked_process_cannot_open_the_database_of_the_worker_and_a_spawned_one_can(service, finished):
    forked = await finished(await service.job("writes_in_a_process", "fork", max_attempts=1))
    assert forked.status == BackgroundJobStatus.FAILED
    assert "DatabaseForkedError" in forked.last_error
    assert "'spawn'" in forked.last_error
    spawned = await finished(await service.job("writes_in_a_process", "spawn", max_attempts=1))
    assert spawned.status == BackgroundJobStatus.COMPLETED, spawned.last_error


async def test_a_forked_child_ends_at_a_signal_that_arrives_during_the_fork(
    service, finished, others_are_served, worker_pids
):
    before = await worker_pids()
    job = await finished(await service.job("ends_its_copies_at_once", 50))
    assert job.result == [-signal.SIGTERM]
    await others_are_served()
    assert await worker_pids() == before


# --- payloads, results and texts ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "payload", "error"),
    [
        ("returns_much", MEGABYTES_10, "PayloadTooLargeError"),
        ("returns_nested", 100_000, "PayloadEncodeError"),
        ("returns_surrogate", None, "$.text[1]"),
    ],
)
async def test_a_result_that_cannot_be_stored_fails_the_job_at_once(
    service, finished, others_are_served, key, payload, error
):
    job = await finished(await service.job(key, payload, max_attempts=5))
    assert (job.status, job.attempts, job.result) == (FAILED, 1, None)
    assert error in job.last_error
    await others_are_served()


async def test_an_invalid_payload_is_refused_and_stores_nothing(service, manager):
    nested = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(PayloadTooLargeError) as caught:
        await service.job("measure", "x" * MEGABYTES_10)
    assert caught.value.args
    for payload in (nested, {"text": "\ud800"}):
        with pytest.raises(PayloadEncodeError):
            await service.job("measure", payload)
    assert (await manager.get_counts()).total == 0


async def test_a_payload_of_10_mb_is_accepted_if_the_limit_allows_it(service, finished, database):
    engine = SqliteJobEngine(database, max_payload_bytes=2 * MEGABYTES_10)
    job_id = await BackgroundJobManager(engine).enqueue("measure", "x" * MEGABYTES_10)
    assert MEGABYTES_10 > MAX_PAYLOAD_BYTES
    assert (await finished(job_id)).result == MEGABYTES_10


@pytest.mark.parametrize("text", ["[" * 100_000 + "]" * 100_000, '{"a":' * 100_000, '"\udcff"', "\0", "nonsense"])
async def test_a_payload_of_another_program_that_cannot_be_decoded_fails_at_once(
    service, finished, database_path, others_are_served, text
):
    job_id = insert_by_hand(database_path, "echo", text.encode(errors="surrogateescape"))
    job = await finished(job_id)
    assert (job.status, job.attempts) == (FAILED, 1)
    assert job.last_error.partition(":")[0] in {"PayloadDecodeError", "UnreadableJobError"}
    await others_are_served()


def insert_by_hand(path, key, payload):
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(
            "INSERT INTO background_service_jobs (job_key, payload, status, created_at, updated_at)"
            " VALUES (?, CAST(? AS TEXT), 'PENDING', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z')",
            (key, payload),
        ).lastrowid


async def test_an_error_in_a_payload_type_is_a_failed_attempt(service, finished, others_are_served):
    job = await finished(await service.job("wants_the_impossible", {"text": "unicorn"}, max_attempts=1))
    assert (job.status, job.attempts) == (FAILED, 1)
    await others_are_served()


async def test_nul_characters_are_stored_unchanged(service, finished):
    payload = {"a\0b": "c\0d"}
    assert (await finished(await service.job("echo", payload))).result == payload


async def test_texts_that_cannot_be_stored_are_escaped_and_do_not_affect_heartbeats(make, finished, engine, log, until):
    service = make(lease=SHORT_LEASE)
    await service.start()
    job = await finished(await service.job("tells_surrogates"))
    assert (job.status, job.result, job.attempts) == (COMPLETED, "told", 1)
    assert job.progress_message == "broken \\ud800 text \0"

    async def told():
        (worker,) = await engine.workers()
        return (worker.notification_title, worker.notification_content) == ("broken \\ud800", "text \0")

    await until(told)
    assert "could not" not in log()
    await service.stop(0)


async def test_a_job_with_an_unknown_status_is_not_changed(make, finished, manager, database_path, tmp_path, until):
    service = make()
    await service.start()
    begun = tmp_path / "begun"
    job_id = await service.job("waits_for_file", str(begun))
    await until(begun.exists)
    with closing(sqlite3.connect(database_path)) as connection, connection:
        connection.execute("UPDATE background_service_jobs SET status = 'PAUSED' WHERE id = ?", (job_id,))
    begun.with_suffix(".go").touch()
    assert (await finished(await service.job("echo", 1))).result == 1
    with closing(sqlite3.connect(database_path)) as connection:
        assert connection.execute("SELECT status FROM background_service_jobs WHERE id = ?", (job_id,)).fetchone() == (
            "PAUSED",
        )
    assert (await manager.get_counts()).unknown == 1
    await service.stop(0)


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1)], ids=["ahead", "behind"])
async def test_due_jobs_run_although_the_clock_of_the_enqueuing_process_is_wrong(service, finished, database, ahead):
    """As after a clock change: a job that is due when it is enqueued runs at once."""
    engine = SqliteJobEngine(database, clock=lambda: datetime.now(UTC) + ahead)
    job = await finished(await BackgroundJobManager(engine).enqueue("echo", 1))
    assert (job.status, job.attempts) == (COMPLETED, 1)


# --- databases ------------------------------------------------------------------------------------


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
connection.execute("COMMIT")
"""


@pytest.fixture
def hold_lock(database_path):
    """Return a function that makes another process hold the write lock until it is released."""
    holders = []

    def hold():
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD, database_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        holders.append(holder)
        assert holder.stdout.readline() == "held\n"
        return holder.communicate

    yield hold
    for holder in holders:
        holder.kill()
        holder.communicate()


async def test_an_outcome_that_cannot_be_stored_because_of_a_lock_is_stored_later(
    make, finished, hold_lock, log, tmp_path, until
):
    service = make("hostile_worker:impatient")
    await service.start()
    begun = tmp_path / "begun"
    job_id = await service.job("waits_for_file", str(begun))
    await until(begun.exists)
    let_go = hold_lock()
    begun.with_suffix(".go").touch()
    await until(lambda: "DatabaseLockedError" in log() and "trying again" in log())
    let_go("\n")
    job = await finished(job_id)
    assert (job.status, job.result, job.attempts) == (COMPLETED, "done", 1)
    await service.stop(0)


async def test_enqueue_and_start_report_a_locked_database(make, manager, database_path, hold_lock):
    await manager.get_counts()
    let_go = hold_lock()
    async with Database.open(database_path, busy_timeout=0.1) as impatient:
        with pytest.raises(DatabaseLockedError, match=r"0\.1 s"):
            await BackgroundJobManager(impatient).enqueue("echo")
    with pytest.raises(WorkerStartError, match="locked"):
        await make("hostile_worker:impatient").start()
    let_go("\n")
    assert (await manager.get_counts()).total == 0


async def test_an_outcome_that_finds_the_disk_full_is_stored_when_there_is_space(
    make, finished, log, tmp_path, until, worker_pids, manager
):
    service = make()
    await service.start()
    begun = tmp_path / "begun"
    job_id = await service.job("waits_for_file", str(begun))
    await until(begun.exists)
    (pid,) = await worker_pids()
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
    begun.with_suffix(".go").touch()
    await until(lambda: "DiskFullError" in log() and "trying again" in log())
    assert (await manager.get_job_by_id(job_id)).status == RUNNING
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    job = await finished(job_id)
    assert (job.status, job.result, job.attempts) == (COMPLETED, "done", 1)
    await service.stop(0)


async def test_start_reports_a_damaged_database(make, database_path, servers, until):
    async with Database.open(database_path, migrations=JOB_MIGRATIONS):
        pass
    content = bytearray(database_path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    database_path.write_bytes(content)
    with pytest.raises(WorkerStartError, match=r"malformed|SQLITE_CORRUPT"):
        await make().start()
    await until(lambda: servers() == [])


async def test_a_newer_schema_is_refused_by_worker_and_app(make, database_path, servers, until):
    async with Database.open(database_path, migrations=JOB_MIGRATIONS) as db:
        newer = await db.get_all("SELECT * FROM tetherpy_migrations")
        columns = newer[0].keys()
        row = {**dict(zip(columns, newer[0], strict=True)), "version": 99, "name": "from the future"}
        names = ", ".join(columns)
        await db.execute(
            f"INSERT INTO tetherpy_migrations ({names}) VALUES ({', '.join('?' * len(columns))})", list(row.values())
        )
    with pytest.raises(WorkerStartError, match="99"):
        await make().start()
    with pytest.raises(SchemaNewerError):
        await make().job("echo")
    await until(lambda: servers() == [])


START = """
import asyncio, sys
from tetherpy.service import BackgroundService, WorkerStartError

async def main():
    try:
        await BackgroundService(sys.argv[1], "hostile_worker:initialize").start()
    except WorkerStartError as error:
        print(error)

asyncio.run(main())
"""
BOUND_FILES = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))"
# File modes apply to processes that root starts after this: CAP_DAC_OVERRIDE leaves the bounding set.
OBEY_FILE_MODES = "import ctypes, os; assert os.geteuid() or not ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)"


@pytest.fixture
def start_elsewhere(database_path):
    """Return a function that starts the service in a process with fewer rights."""

    async def start(deprivation):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", f"{deprivation}\n{START}", database_path, stdout=asyncio.subprocess.PIPE, cwd=APPS
        )
        output, _ = await process.communicate()
        return output.decode()

    return start


@pytest.mark.new_interpreter  # a fork server has all rights
async def test_start_reports_a_full_disk_and_works_when_there_is_space(start_elsewhere, make, finished, servers):
    printed = await start_elsewhere(BOUND_FILES)
    assert "did not start: its database or service folder cannot be used" in printed
    assert "DiskFullError" in printed or "too large" in printed
    assert servers() == []
    service = make()
    await service.start()
    assert (await finished(await service.job("echo", 1))).result == 1
    await service.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
@pytest.mark.new_interpreter  # a fork server has all rights
async def test_start_reports_a_read_only_database(start_elsewhere, database_path, servers):
    async with Database.open(database_path, migrations=JOB_MIGRATIONS):
        pass
    database_path.chmod(0o444)
    printed = await start_elsewhere(OBEY_FILE_MODES)
    assert "did not start: its database or service folder cannot be used" in printed
    assert "DatabaseReadOnlyError" in printed
    assert servers() == []
