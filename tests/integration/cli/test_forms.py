"""Output formats: tables, lines and JSON; texts of jobs cannot send control sequences to the terminal."""

import contextlib
import io
import json
import re
import sqlite3
import subprocess
import sys
from datetime import timedelta

import pytest

from tests.integration.cli.conftest import PROGRAM
from tests.support.job_options import every_option, expected_options, options_of, shown_options, typed_options

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*(3[0-7]|9[0-7])m")
HOSTILE = "\x1b[2J\x1b]0;owned\x07\r\n\t\u202e\u2066\x9b31m\ud7ff[bold]"


@pytest.fixture
def hostile(empty, enqueue, jobs, database):
    """Yield the shell, with a job that has control sequences in every text."""
    enqueue(HOSTILE, {"text": HOSTILE}, queue=HOSTILE, unique_key=HOSTILE)
    jobs(lambda manager: manager.update_job_status(1, "RUNNING"))
    jobs(lambda manager: manager.update_job_status(1, "FAILED", error=HOSTILE))
    with contextlib.closing(sqlite3.connect(database)) as rows, rows:
        rows.execute("UPDATE background_service_job_attempts SET logs = ?", (f"before\n{HOSTILE}",))
    return empty


def harmless(text):
    return not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


@pytest.mark.parametrize("command", [("list",), ("show", "1"), ("show", "1", "--logs")])
def test_hostile_text_is_escaped_in_pipes_and_on_terminals(hostile, command):
    piped = hostile("jobs", *command)
    assert harmless(piped.out)
    assert r"\x1b[2J\x1b]0;owned\x07\r\n\t\u202e\u2066\x9b31m" in piped.out
    as_json = hostile("jobs", *command, "--json")
    assert harmless(as_json.out)
    (document,) = [json.loads(as_json.out)] if command[0] == "show" else json.loads(as_json.out)
    assert (document["job_key"], document["last_error"], document["payload"]) == (HOSTILE, HOSTILE, {"text": HOSTILE})
    with hostile.terminal("jobs", *command) as terminal:
        assert terminal.end() == 0
    assert harmless(ESCAPE.sub("", terminal.shown))
    assert "\x1b[2J" not in terminal.shown
    assert "[bold]" in terminal.shown or "…" in terminal.shown


def test_the_log_of_each_attempt_is_shown_on_request(hostile):
    assert "before" not in hostile("jobs", "show", "1").out
    piped = hostile("jobs", "show", "1", "--logs").out
    assert "\nlog\t1\tbefore\nlog\t1\t\\x1b[2J" in piped
    (attempt,) = json.loads(hostile("jobs", "show", "1", "--logs", "--json").out)["history"]
    assert attempt["logs"] == f"before\n{HOSTILE}"
    with hostile.terminal("jobs", "show", "1", "--logs") as terminal:
        assert terminal.end() == 0
    assert re.search(r"log of attempt 1\s+before\s", terminal.shown)


def test_hostile_text_is_escaped_in_errors(hostile, enqueue):
    with hostile.terminal("jobs", "watch", "1") as terminal:
        assert terminal.end() == 1
    assert harmless(ESCAPE.sub("", terminal.shown))
    assert "\x1b[2J" not in terminal.shown
    ran = hostile("jobs", HOSTILE)
    assert ran.code == 2
    assert ran.err.count("\n") == 1
    assert harmless(ran.err)


def test_in_a_pipe_a_row_is_one_complete_line(empty, enqueue, jobs):
    long = "x" * 5000
    enqueue(long, priority=3)
    (line,) = empty("jobs", "list", COLUMNS="20").lines
    created = jobs(lambda manager: manager.get_job_by_id(1)).created_at
    moment = f"{created:%Y-%m-%dT%H:%M:%S.%f}Z"
    assert line.split("\t") == ["1", "PENDING", long, "0/3", "", moment, ""]


def test_on_a_terminal_there_is_a_table_in_colours_unless_they_are_disabled(empty, enqueue):
    enqueue("greet")
    with empty.terminal("jobs", "list") as terminal:
        assert terminal.end() == 0
    assert "status" in terminal.shown
    assert "s ago" in terminal.shown
    assert COLOUR.search(terminal.shown)
    with empty.terminal("jobs", "list", NO_COLOR="1") as terminal:
        assert terminal.end() == 0
    assert "PENDING" in terminal.shown
    assert not COLOUR.search(terminal.shown)


def test_in_a_pipe_escape_sequences_are_never_written(empty, enqueue):
    enqueue("greet")
    assert "\x1b" not in empty("jobs", "list", FORCE_COLOR="1", TERM="xterm-256color").out


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_encoding_of_stdout_is_supported(empty, enqueue, encoding):
    enqueue("größe ✓", {"größe": "✓"})
    environment = {**empty.environment, "PYTHONIOENCODING": encoding}

    def run(*options):
        command = [*PROGRAM, "jobs", "list", *options]
        done = subprocess.run(command, cwd=empty.folder, env=environment, capture_output=True, timeout=30, check=True)
        return done.stdout.decode(encoding)

    assert run().startswith("1\tPENDING\tgr")
    (document,) = json.loads(run("--json"))
    assert (document["job_key"], document["payload"]) == ("größe ✓", {"größe": "✓"})


def test_the_payload_is_read_unchanged_from_an_argument_a_file_or_stdin(command, tmp_path, jobs, monkeypatch):
    (tmp_path / "payload.json").write_text('{"from": "file"}')
    assert command("jobs", "enqueue", "greet", "--payload", "@payload.json").out == "1\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf[1, 2.5, null]\n")))
    assert command("jobs", "enqueue", "greet", "--payload", "-").out == "2\n"
    assert json.loads(command("jobs", "enqueue", "greet", "--payload", "true", "--json").out)["payload"] is True
    found = jobs(lambda manager: manager.get_all_jobs(order_by_creation="ASC"))
    assert [job.payload for job in found] == [{"from": "file"}, [1, 2.5, None], True]


def test_all_options_of_enqueue_are_stored_and_shown(command, jobs):
    given = [word for name, text in typed_options().items() for word in (f"--{name.replace('_', '-')}", text)]
    document = json.loads(command("jobs", "enqueue", "greet", *given, "--json").out)
    job = jobs(lambda manager: manager.get_job_by_id(1))
    assert options_of(job) == expected_options(policy=False)
    assert job.run_at - job.created_at == every_option()["delay"]
    shown = {**document, "timeout": timedelta(seconds=document["timeout"])}
    assert {option.name: shown[option.name] for option in shown_options()} == {
        option.name: getattr(job, option.name) for option in shown_options()
    }
    table = command("jobs", "show", "1").out
    assert [option.name for option in shown_options() if option.name not in table] == []
    assert command("jobs", "enqueue", "greet", "--unique-key", job.unique_key).out == "1\n"


def test_a_payload_that_is_not_json_is_shown_as_text(command, enqueue, database):
    enqueue("greet")
    with contextlib.closing(sqlite3.connect(database)) as rows, rows:
        rows.execute("UPDATE background_service_jobs SET payload = '{broken'")
    assert json.loads(command("jobs", "show", "1", "--json").out)["payload"] == "{broken"


def test_lists_can_be_filtered_and_paginated(command, empty, enqueue, jobs):
    for number in range(5):
        enqueue("even" if number % 2 == 0 else "odd", number, queue="slow" if number == 4 else "default")
    jobs(lambda manager: manager.cancel_job(1))

    def ids(*options):
        return [line.split("\t")[0] for line in command("jobs", "list", *options).lines]

    assert ids() == ["5", "4", "3", "2", "1"]
    assert ids("--key", "even", "--status", "pending") == ["5", "3"]
    assert ids("--queue", "slow") == ["5"]
    assert ids("--limit", "2", "--offset", "1") == ["4", "3"]
    assert ids("--text", "odd") == ["4", "2"]
    assert ids("--limit", "2", "--cursor", "4") == ["3", "2"]
    assert ids("--cursor", "1") == []
    with empty.terminal("jobs", "list", "--limit", "2", "--cursor", "4") as terminal:
        assert terminal.end() == 0
    assert "--cursor 2" in terminal.shown
    with empty.terminal("jobs", "list", "--limit", "2", "--cursor", "3") as terminal:
        assert terminal.end() == 0
    assert "--cursor" not in terminal.shown
    assert json.loads(command("jobs", "list", "--key", "none", "--json").out) == []
