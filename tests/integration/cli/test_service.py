"""Workers from the command line: one service, started and queried by many commands."""

import json

import pytest


def test_a_service_starts_reports_its_state_and_stops(command, jobs, enqueue, reaches, database, tmp_path, monkeypatch):
    assert command("service", "start", "--callback", "shop:initialize").code == 0
    state = json.loads(command("service", "status", "--json").out)
    assert state["running"] is True
    assert state["database"] == str(database)
    assert len(state["workers"]) == 1

    second = command("worker", "--callback", "shop:initialize")
    assert second.code == 1
    assert second.err.startswith("error: A background service is already running for")
    assert second.err.count("\n") == 1

    again = command("service", "start", "--callback", "shop:initialize", "--json")
    assert json.loads(again.out)["workers"] == state["workers"]

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    installed = command("service", "install", "--manager", "systemd", "--callback", "shop:initialize")
    assert installed.err.startswith("\nNext:\n    tetherpy service stop\n    systemctl --user daemon-reload\n")

    job = enqueue("greet", {"name": "world"})
    assert command("jobs", "watch", job).lines[-1].endswith('"Hello world!"')
    shown = dict(line.split("\t") for line in command("service", "status").lines)
    assert shown["running"] == "yes"
    assert shown["workers"] == str(state["workers"][0]["pid"])
    assert (shown["notification_title"], shown["notification_content"]) == ("Greeting", "hello world")

    endless = enqueue("wait")
    reaches(endless, "waiting")
    monkeypatch.setattr("tetherpy.cli.service.stop.STOP_TIMEOUT", 86_400.0)
    stopped = command("service", "stop", "--timeout", "0s")
    assert (stopped.code, stopped.out, stopped.err) == (0, "", "")
    assert jobs(lambda manager: manager.get_counts()).pending == 1
    assert command("service", "stop").code == 0
    status = command("service", "status")
    assert status.code == 1
    assert "running\tno" in status.lines
    assert status.err == f"error: No workers running for {database}. Start workers: tetherpy service start.\n"


def test_workers_that_do_not_start_are_an_error_with_the_reason_and_the_log(command, database):
    ran = command("service", "start", "--callback", "shop:refuse")
    assert ran.code == 1
    log = database.with_name("shop.db-service") / "worker.log"
    assert ran.err == (
        "error: The workers did not start: the initialization callback shop:refuse raised RuntimeError: "
        f"the shop is closed. Their processes have ended. The log is {log}.\n"
    )
    assert "Traceback" in log.read_text()


def test_a_worker_that_does_not_start_logs_the_error_of_the_callback(empty):
    ran = empty("worker", "--callback", "shop:refuse")
    assert ran.code == 1
    assert ran.err.startswith(
        "tetherpy: the initialization callback shop:refuse raised RuntimeError: the shop is closed"
    )
    assert "tetherpy/cli" not in ran.err


@pytest.mark.parametrize(("options", "served"), [(("--queue", "slow"), [2]), ((), [1, 2])])
def test_a_worker_serves_the_given_queues(empty, enqueue, jobs, options, served):
    for queue in ("default", "slow"):
        enqueue("greet", {"name": queue}, queue=queue)
    worker = empty.start("worker", "--callback", "shop:initialize", "--concurrency", "1", *options)
    for job_id in served:
        finished = jobs(lambda manager, job_id=job_id: manager.wait_for(job_id, timeout=30))
        assert finished.status == "COMPLETED"
    worker.terminate()
    worker.communicate(timeout=30)
    assert jobs(lambda manager: manager.get_counts()).pending == 2 - len(served)


@pytest.mark.parametrize("command", [("worker",), ("service", "start")])
def test_with_reload_workers_are_replaced_when_a_file_changes(empty, enqueue, jobs, command):
    module = empty.folder / "greeter.py"

    def write(greeting):
        module.write_text(
            "def initialize(service): service.register_job_handler('greet', greet)\n"
            f"def greet(service, payload, db): return {greeting!r}\n"
        )

    def greeting():
        job = int(enqueue("greet"))
        return jobs(lambda manager: manager.result(job, timeout=25))

    write("hello")
    started = empty.start(*command, "--callback", "greeter:initialize", "--reload")
    assert greeting() == "hello"
    write("welcome, friend")
    while greeting() != "welcome, friend":
        assert started.poll() in (None, 0)
    assert empty("service", "status", "--json").out.count('"changed_files": []') == 1
