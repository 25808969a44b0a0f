"""With the URL of a server, commands do the same and show no password."""

import json

import pytest


@pytest.fixture
def on_server(command, postgres_url, monkeypatch, tmp_path):
    monkeypatch.setenv("TETHERPY_DATABASE", postgres_url)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    yield command
    command("service", "stop", "--timeout", "0s")


def test_jobs_are_enqueued_run_and_listed(on_server):
    assert "tetherpy.jobs" in on_server("migrate").out
    assert on_server("service", "start", "--callback", "shop:initialize").code == 0
    job = on_server("jobs", "enqueue", "greet", "--payload", '{"name": "server"}').out.strip()
    watched = on_server("jobs", "watch", job)
    assert (watched.code, watched.err) == (0, "")
    assert watched.out.splitlines()[-1].endswith('"Hello server!"')
    assert json.loads(on_server("jobs", "show", job, "--json").out)["result"] == "Hello server!"
    assert json.loads(on_server("jobs", "stats", "--json").out)["completed"] == 1
    doctor = on_server("doctor")
    assert (doctor.code, doctor.err) == (0, "")
    assert on_server("jobs", "retry", job).code == 0
    assert on_server("service", "stop").code == 0


def test_an_unreachable_server_is_a_one_line_error_without_the_password(command):
    ran = command("jobs", "list", "--database", "postgresql://user:secret@127.0.0.1:9/app")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.count("\n") == 1
    assert "secret" not in ran.err
