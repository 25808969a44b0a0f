"""Errors of users end as documented: exit code 0, 1 or 2, one line with the remedy, no traceback."""

import contextlib
import hashlib
import socket
import sqlite3

import pytest

LOOKING = [
    ("jobs", "list"),
    ("jobs", "show", "1"),
    ("jobs", "retry", "1"),
    ("jobs", "cancel", "1"),
    ("jobs", "delete", "1"),
    ("jobs", "delete", "--status", "FAILED", "--yes"),
    ("jobs", "watch"),
    ("jobs", "watch", "1"),
    ("jobs", "stats"),
    ("migrate", "--list"),
    ("doctor",),
    ("service", "status"),
    ("service", "stop"),
]
MAKING = [("jobs", "enqueue", "greet"), ("migrate",)]
STARTING = [("worker",), ("service", "start"), ("service", "install", "--print")]
ON_JOB_TABLES = [command for command in LOOKING if command[0] == "jobs"]


def words(command):
    return " ".join(command)


def the_line(err):
    """Return the output, and check that it is one line without a traceback."""
    assert err.count("\n") == 1, err
    assert err.startswith("error: ")
    assert "Traceback" not in err
    return err


def files(folder):
    return sorted(path.name for path in folder.rglob("*"))


@pytest.mark.parametrize("arguments", LOOKING, ids=words)
def test_reading_a_missing_database_does_not_create_it(command, arguments, tmp_path):
    code, out, err = command(*arguments)
    assert (code, out) == (1, "")
    assert "There is no database" in the_line(err)
    assert "tetherpy migrate" in err
    assert files(tmp_path) == []


@pytest.mark.parametrize("arguments", [*LOOKING, *MAKING, *STARTING], ids=words)
def test_a_missing_database_option_is_wrong_usage(command, arguments, monkeypatch):
    monkeypatch.delenv("TETHERPY_DATABASE")
    callback = ("--callback", "shop:initialize") if arguments in STARTING else ()
    code, out, err = command(*arguments, *callback)
    assert (code, out) == (1, "")
    assert "--database" in the_line(err)
    assert "TETHERPY_DATABASE" in err
    assert "tether.yaml" in err


@pytest.mark.parametrize("arguments", [*ON_JOB_TABLES, *MAKING, ("migrate", "--list")], ids=words)
def test_a_file_that_is_not_a_database_is_named_and_kept(command, arguments, database):
    database.write_text("no database at all\n" * 100)
    code, out, err = command(*arguments)
    assert (code, out) == (1, "")
    assert "is not an SQLite database" in the_line(err)
    assert database.read_text() == "no database at all\n" * 100


@pytest.mark.parametrize("arguments", ON_JOB_TABLES, ids=words)
def test_reading_a_database_of_another_program_changes_nothing(command, arguments, database, tmp_path):
    with contextlib.closing(sqlite3.connect(database)) as theirs:
        theirs.execute("CREATE TABLE bookmarks (x)")
    before = hashlib.sha256(database.read_bytes()).hexdigest()
    code, out, err = command(*arguments)
    assert (code, out) == (1, "")
    assert "has no job tables" in the_line(err)
    assert hashlib.sha256(database.read_bytes()).hexdigest() == before
    assert files(tmp_path) == [database.name]


@pytest.mark.parametrize("arguments", [*ON_JOB_TABLES, *MAKING], ids=words)
def test_a_newer_schema_is_refused_and_not_changed(command, arguments, database):
    make_newer(command, database)
    code, out, err = command(*arguments)
    assert (code, out) == (1, "")
    assert "newer code" in the_line(err)


def test_doctor_reports_a_newer_schema(command, database):
    make_newer(command, database)
    code, out, err = command("doctor")
    assert (code, err) == (1, "")
    assert "migrations\twrong\tthe job tables have version 99" in out


def make_newer(command, database):
    assert command("migrate")[0] == 0
    with contextlib.closing(sqlite3.connect(database)) as theirs, theirs:
        theirs.execute(
            "INSERT INTO tetherpy_migrations "
            "SELECT namespace, 99, name, checksum, applied_at FROM tetherpy_migrations LIMIT 1"
        )


@pytest.mark.parametrize("verb", ["show", "retry", "cancel", "delete", "watch"])
def test_an_unknown_job_is_named_in_the_error(command, verb):
    command("migrate")
    code, _, err = command("jobs", verb, "7")
    assert code == 1
    assert "There is no job 7" in the_line(err)


def test_an_action_that_one_job_refuses_is_applied_to_the_others(command):
    for _ in range(3):
        command("jobs", "enqueue", "greet")
    code, out, err = command("jobs", "cancel", "1", "9", "3")
    assert code == 1
    assert [line.split("\t")[:2] for line in out.splitlines()] == [["1", "CANCELLED"], ["3", "CANCELLED"]]
    assert "There is no job 9" in the_line(err)
    code, out, err = command("jobs", "delete", "1", "9")
    assert (code, out) == (1, "1\n")
    assert "There is no job 9" in the_line(err)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nonsense",), "No such command"),
        (("jobs", "lst"), "Did you mean 'list'?"),
        (("enqueue", "greet"), "Did you mean 'jobs enqueue'?"),
        (("jobs", "show"), "Missing argument 'ID'"),
        (("jobs", "show", "first"), "not an integer"),
        (("jobs", "show", "0"), "1"),
        (("jobs", "show", "99999999999999999999"), "9223372036854775807"),
        (("jobs", "list", "--status", "done"), "pending"),
        (("jobs", "list", "--limit", "-1"), "0"),
        (("jobs", "list", "--nonsense"), "No such option"),
        (("jobs", "delete"), "--status"),
        (("jobs", "delete", "1", "--status", "FAILED"), "pass either job ids or --status"),
        (("jobs", "delete", "1", "--older-than", "1d"), "--status"),
        (("jobs", "delete", "--status", "FAILED"), "--yes"),
        (("jobs", "delete", "--status", "FAILED", "--older-than", "soon"), "7d"),
        (("jobs", "enqueue", "greet", "--payload", "{name: world}"), "not valid JSON"),
        (("jobs", "enqueue", "greet", "--payload", "[NaN]"), "not valid JSON"),
        (("jobs", "enqueue", "greet", "--payload", " "), "the argument is empty"),
        (("jobs", "enqueue", "greet", "--delay", "1 fortnight"), "not a duration"),
        (("jobs", "enqueue", "greet", "--delay", "9" * 30 + "w"), "too long"),
        (("jobs", "enqueue", "greet", "--run-at", "tomorrow"), "not an instant"),
        (("jobs", "enqueue", "greet", "--delay", "1s", "--run-at", "2030-01-01"), "give one of them"),
        (("jobs", "enqueue", "greet", "--max-attempts", "0"), "the minimum is 1"),
        (("jobs", "enqueue", ""), "must not be empty"),
        (("worker", "--processes", "0"), "1"),
    ],
    ids=lambda value: words(value) if isinstance(value, tuple) else "",
)
def test_wrong_usage_has_exit_code_2_and_a_remedy(command, arguments, told, tmp_path):
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert told in the_line(err)
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("jobs", "enqueue", "greet", "--payload", "@none.json"), "none.json: No such file or directory"),
        (("jobs", "enqueue", "greet", "--database", "none/shop.db"), "does not exist"),
        (("migrate", "--database", "."), "is a folder"),
        (("jobs", "list", "--database", "."), "is a folder"),
        (("migrate", "--migrations", "shop"), "module:name"),
        (("migrate", "--migrations", "no_such_module:STEPS"), "No module named"),
        (("migrate", "--migrations", "os:sep"), "not a list of Migration"),
        (("jobs", "list", "--database", "mysql://host/app"), "mysql"),
    ],
    ids=lambda value: words(value) if isinstance(value, tuple) else "",
)
def test_missing_and_unusable_things_have_exit_code_1(command, arguments, told):
    code, out, err = command(*arguments)
    assert (code, out) == (1, "")
    assert told in the_line(err)


def test_a_used_port_is_an_error_that_suggests_another_port(command):
    command("migrate")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = command("dashboard", "--port", port)
    assert (code, out) == (1, "")
    assert f":{port}: Address already in use. Choose another address with --port" in the_line(err)


@pytest.mark.parametrize("arguments", [("jobs", "enqueue", "\udcff"), ("jobs", "list", "--key", "\udcff")])
def test_arguments_that_are_not_utf8_are_wrong_usage(command, arguments):
    command("migrate")
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert "UTF-8" in the_line(err)


def test_a_payload_in_another_encoding_is_wrong_usage(command, tmp_path):
    (tmp_path / "payload.json").write_bytes(b'"gr\xfc\xdfe"')
    code, out, err = command("jobs", "enqueue", "greet", "--payload", "@payload.json")
    assert (code, out) == (2, "")
    assert "payload.json is not valid JSON: invalid start byte" in the_line(err)


def test_a_tilde_that_the_shell_did_not_expand_is_expanded(command, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TETHERPY_DATABASE", "~/shop.db")
    (tmp_path / "home").mkdir()
    assert command("migrate").code == 0
    assert (tmp_path / "home" / "shop.db").exists()


@pytest.mark.parametrize("arguments", STARTING, ids=words)
def test_workers_need_an_initialization_callback(command, arguments):
    code, out, err = command(*arguments)
    assert (code, out) == (1, "")
    assert "--callback" in the_line(err)


@pytest.mark.parametrize("arguments", STARTING[:2], ids=words)
@pytest.mark.parametrize("callback", ["no_such_module:initialize", "initialize", "a b:c"])
def test_a_callback_that_cannot_be_imported_is_a_one_line_error(command, arguments, callback, database):
    code, out, err = command(*arguments, "--callback", callback)
    assert (code, out) == (1, "")
    assert callback.partition(":")[0] in the_line(err)


@pytest.mark.parametrize("size", [1024 * 1024 + 1])
def test_a_payload_over_the_size_limit_is_refused(command, tmp_path, size):
    (tmp_path / "large.json").write_text(f'"{"x" * size}"')
    code, out, err = command("jobs", "enqueue", "greet", "--payload", "@large.json")
    assert (code, out) == (1, "")
    assert "1,048,576" in the_line(err)
