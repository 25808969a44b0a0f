"""``jobs watch`` shows every change by any process, also when workers are killed."""

import json
import signal

import psutil

from tests.support.service_processes import server_processes


def until(process, wanted):
    """Return the lines up to the first that contains all given texts."""
    lines = []
    while not all(text in lines[-1] for text in wanted) if lines else True:
        line = process.stdout.readline()
        assert line, f"it ended with {process.wait()} after {lines}: {process.stderr.read()}"
        lines.append(line.rstrip("\n"))
    return lines


def end(process):
    rest, err = process.communicate(timeout=30)
    return process.returncode, rest, err


def test_a_watch_continues_when_a_worker_is_killed_and_replaced(served, enqueue, database):
    job = enqueue("wait")
    other = enqueue("step", 3)
    watch = served.start("jobs", "watch", job, other)
    until(watch, ["RUNNING", "waiting"])
    killed = server_processes(database)
    for process in killed:
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs(killed, timeout=10)
    assert served("service", "start", "--callback", "shop:initialize").code == 0
    until(watch, [f"{job}\tRUNNING", "\t2/3\t", "waiting"])
    assert served("jobs", "cancel", job).code == 0
    code, _, err = end(watch)
    assert code == 1
    assert err.startswith(f"error: Job {job} is CANCELLED")
    assert err.count("\n") == 1


def test_without_ids_each_change_of_any_job_is_a_line(served, enqueue):
    enqueue("greet", {"name": "before"})
    waiting = enqueue("wait")
    watch = served.start("jobs", "watch")
    until(watch, [f"{waiting}\tRUNNING"])  # a running job is reported at once, so from here on it sees all changes
    greeted = enqueue("greet", {"name": "world"})
    until(watch, [f"{greeted}\tCOMPLETED", "Hello world!"])
    failed = enqueue("fail", max_attempts=1)
    lines = until(watch, [f"{failed}\tFAILED"])
    assert r"no \x1b]0;owned\x07 good" in lines[-1]
    served("jobs", "retry", failed)
    lines += until(watch, [f"{failed}\tFAILED", "2/1"])
    assert not any("before" in line for line in lines)
    watch.send_signal(signal.SIGINT)
    assert end(watch)[0] == 130


def test_with_json_each_line_is_a_job(served, enqueue):
    job = enqueue("step", 3)
    watch = served.start("jobs", "watch", job, "--json")
    out, err = watch.communicate(timeout=30)
    seen = [json.loads(line) for line in out.splitlines()]
    assert (watch.returncode, err) == (0, "")
    assert {document["id"] for document in seen} == {int(job)}
    assert (seen[-1]["status"], seen[-1]["result"], seen[-1]["progress"]) == ("COMPLETED", "done", 1.0)


def test_a_finished_job_is_reported_once(command, enqueue, jobs):
    job = enqueue("greet")
    jobs(lambda manager: manager.update_job_status(1, "RUNNING"))
    jobs(lambda manager: manager.update_job_status(1, "COMPLETED"))
    again = command("jobs", "watch", job, job)
    assert (again.code, len(again.out.splitlines()), again.err) == (0, 1, "")


def test_a_failed_job_has_exit_code_1_and_the_command_to_retry_it(command, enqueue, jobs):
    job = enqueue("fail")
    jobs(lambda manager: manager.update_job_status(1, "RUNNING"))
    jobs(lambda manager: manager.update_job_status(1, "FAILED", error="ValueError: no \x1b]0;owned\x07 good"))
    watch = command("jobs", "watch", job)
    assert watch.code == 1
    assert watch.err == (
        rf"error: Job {job} is FAILED (ValueError: no \x1b]0;owned\x07 good). "
        f"To run them again: tetherpy jobs retry {job}.\n"
    )


def test_deletion_of_the_job_ends_the_watch(empty, enqueue, jobs):
    job = enqueue("greet")
    watch = empty.start("jobs", "watch", job)
    until(watch, ["PENDING"])
    jobs(lambda manager: manager.delete_job(int(job)))
    code, _, err = end(watch)
    assert code == 1
    assert err.startswith(f"error: There is no job {job}")


def test_on_a_terminal_progress_bars_are_updated_and_the_last_state_remains(served, enqueue):
    job = enqueue("wait")
    with served.terminal("jobs", "watch", job) as terminal:
        terminal.until("50%")
        terminal.until("waiting")
        assert "━" in terminal.shown
        served("jobs", "cancel", job)
        assert terminal.end() == 1
    assert "CANCELLED" in terminal.shown
    assert terminal.shown.rindex("\x1b[?25h") > terminal.shown.rindex("\x1b[?25l")


def test_on_a_terminal_counts_of_all_jobs_are_shown(served, enqueue):
    with served.terminal("jobs", "watch") as terminal:
        terminal.until("0 completed")
        enqueue("fail", max_attempts=1)
        terminal.until("1 failed")
        terminal.until("FAILED")
        terminal.type("\x03")
        assert terminal.end() == 130
    assert "\x1b]0;owned" not in terminal.shown
    assert r"\x1b]0;owned\x07" in terminal.shown
