"""Real processes: readers that exit, Ctrl-C, closed streams, and locks of other processes."""

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import time

import pytest

from tests.integration.cli.conftest import PROGRAM


def interrupt(process):
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


@pytest.fixture
def many(empty, database):
    """Yield the shell, with more jobs than a pipe can buffer."""
    with contextlib.closing(sqlite3.connect(database)) as rows, rows:
        rows.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
            "INSERT INTO background_service_jobs (job_key, payload, status, created_at, updated_at) "
            "SELECT 'import', '{\"row\":' || i || '}', 'COMPLETED', '2026-01-01T00:00:00.000000Z', "
            "'2026-01-01T00:00:00.000000Z' FROM n"
        )
    return empty


@pytest.mark.parametrize("form", ["", "--json"])
def test_a_closed_pipe_is_not_an_error(many, form):
    ran = many.pipeline(f"tetherpy jobs list --limit 5000 {form} | head -2")
    assert (ran.code, ran.err) == (0, "")
    assert len(ran.lines) == 2


@pytest.mark.parametrize(
    ("typed", "code", "told"),
    [
        ("jobs list >&-", 1, "error: stdout: Bad file descriptor\n"),
        ("jobs list 2>&-", 0, ""),
        ("jobs list --nonsense 2>&-", 2, ""),
        ("jobs list <&- >&- 2>&-", 1, ""),
        ("jobs enqueue greet --payload - <&-", 2, "error: Invalid value for '--payload': stdin is empty"),
    ],
)
def test_closed_streams_are_a_one_line_error_and_no_output_goes_to_a_file(many, database, typed, code, told):
    ran = many.pipeline(f"tetherpy {typed}")
    assert ran.code == code
    assert ran.err.startswith(told)
    assert ran.err.count("\n") == bool(told)
    assert b"error:" not in database.with_name("shop.db-signal").read_bytes()
    assert database.read_bytes().startswith(b"SQLite format 3")


def test_ctrl_c_ends_a_watch_without_an_error(empty, enqueue):
    job = enqueue("greet")
    watch = empty.start("jobs", "watch", job)
    assert watch.stdout.readline().startswith(f"{job}\tPENDING\t")
    assert interrupt(watch) == (130, "", "")


def test_ctrl_c_ends_a_watch_on_a_terminal_and_shows_the_cursor_again(empty, enqueue):
    with empty.terminal("jobs", "watch", enqueue("greet")) as terminal:
        terminal.until("No workers running; jobs stay pending. Start workers: tetherpy service start")
        terminal.until("PENDING")
        terminal.signal(signal.SIGINT)
        assert terminal.end() == 130
    assert "Traceback" not in terminal.shown
    assert terminal.shown.rindex("\x1b[?25h") > terminal.shown.rindex("\x1b[?25l")


def test_ctrl_c_ends_the_read_of_a_payload(empty, tmp_path):
    os.mkfifo(tmp_path / "payload")
    enqueue = empty.start("jobs", "enqueue", "greet", "--payload", "@payload")
    with (tmp_path / "payload").open("w"):  # returns when the command reads
        while enqueue.poll() is None:
            # Repeated like a user does: a signal just before the wait is noticed only with the next one.
            enqueue.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                enqueue.wait(timeout=1)
    out, err = enqueue.communicate(timeout=30)
    assert (enqueue.returncode, out, err) == (130, "", "")


@pytest.mark.parametrize(("answer", "code"), [("n\r", 130), ("\x04", 130), ("y\r", 0)])
def test_delete_by_status_asks_for_confirmation(empty, jobs, enqueue, answer, code):
    enqueue("greet")
    jobs(lambda manager: manager.cancel_job(1))
    with empty.terminal("jobs", "delete", "--status", "CANCELLED", "--older-than", "0s") as terminal:
        terminal.until("Delete all CANCELLED jobs last updated more than 0 ms ago? This cannot be undone. [y/N]")
        terminal.type(answer)
        assert terminal.end() == code
    assert "Traceback" not in terminal.shown
    assert ("1 job deleted." in terminal.shown) == (code == 0)
    assert jobs(lambda manager: manager.get_counts()).cancelled == (code != 0)


def test_ctrl_c_at_the_confirmation_deletes_nothing(empty, jobs, enqueue):
    enqueue("greet")
    jobs(lambda manager: manager.cancel_job(1))
    with empty.terminal("jobs", "delete", "--status", "CANCELLED") as terminal:
        terminal.until("[y/N]")
        assert terminal.interrupt() == 130
    assert "Traceback" not in terminal.shown
    assert jobs(lambda manager: manager.get_counts()).cancelled == 1


@pytest.mark.parametrize("again", ["", "atexit.register(os.kill, os.getpid(), signal.SIGINT)\n"])
def test_ctrl_c_during_the_start_of_the_program_prints_no_traceback(empty, again):
    """Interrupted at any time after its own code has started, and again while it exits."""
    script = (
        "import atexit, os, signal, sys\n"
        "from tetherpy.cli import app\n"
        "from tetherpy.cli.output import error_reporting\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'typer.main':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "sys.argv = ['tetherpy', 'jobs', 'list']\n"
        f"{again}"
        "app.main()\n"
    )
    ran = empty.pipeline(f"{PROGRAM[0]} -c '{script.replace(chr(39), chr(34))}'")
    assert (ran.code, ran.out, ran.err) == (130, "", "")


@pytest.fixture
def first_signal_has_arrived(database):
    """Return a function that waits for the first thing that a worker does at shutdown."""

    def wait(worker):
        while (database.with_name("shop.db-service") / "service.sock").exists():
            assert worker.poll() is None
            time.sleep(0.005)

    return wait


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_finishes_its_jobs_and_ends_at_a_signal(
    empty, jobs, enqueue, reaches, first_signal_has_arrived, tmp_path, number
):
    worker = empty.start("worker", "--callback", "shop:initialize")
    job = enqueue("gate", str(tmp_path / "open"))
    reaches(job, "waiting")
    worker.send_signal(number)
    first_signal_has_arrived(worker)
    (tmp_path / "open").touch()
    out, err = worker.communicate(timeout=30)
    assert (worker.returncode, out) == (0, "")
    assert re.fullmatch(rf"\S+ INFO tetherpy\.jobs: Job {job} \(gate\) completed in .+\n", err)
    assert jobs(lambda manager: manager.get_job_by_id(int(job))).result == "passed"


def test_a_second_signal_makes_a_worker_release_its_jobs(empty, jobs, enqueue, reaches, first_signal_has_arrived):
    worker = empty.start("worker", "--callback", "shop:initialize")
    job = enqueue("wait")
    reaches(job, "waiting")
    worker.send_signal(signal.SIGINT)
    first_signal_has_arrived(worker)
    worker.send_signal(signal.SIGINT)
    out, err = worker.communicate(timeout=30)
    assert (worker.returncode, out) == (0, "")
    assert re.fullmatch(rf"\S+ INFO tetherpy\.jobs: Job {job} \(wait\) released after .+\n", err)
    handed_back = jobs(lambda manager: manager.get_job_by_id(int(job)))
    assert (handed_back.status, handed_back.attempts) == ("PENDING", 0)


def test_a_lock_of_another_process_is_a_one_line_error_and_nothing_is_written(many, jobs, database):
    commands = [("jobs", "enqueue", "greet"), ("jobs", "retry", "1"), ("jobs", "delete", "1")]
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        started = [many.start(*command) for command in commands]
        assert many("jobs", "list").code == 0  # readers do not wait for locks
        doctor = many("doctor")
        ended = [process.communicate(timeout=30) for process in started]
    assert [process.returncode for process in started] == [1, 1, 1]
    for out, err in ended:
        assert out == ""
        assert err.count("\n") == 1
        assert "another connection kept the database" in err
    assert doctor.code == 1
    assert "write lock\twrong" in doctor.out
    assert jobs(lambda manager: manager.get_counts()).completed == 5000
