"""``tetherpy init`` and ``tetherpy generate``: output and exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from tetherpy.cli.app import main

MINIMAL = "generation:\n  background_services:\n    enabled: true\n"


@attrs.frozen
class Ran:
    """The result of a command."""

    code: int
    out: str
    err: str

    def failed(self, *says: str) -> None:
        """Check for one error line at the end of stderr, and no traceback."""
        assert self.code == 1, self.err
        last = self.err.splitlines()[-1]
        assert last.startswith("error: ")
        assert "Traceback" not in self.err
        for text in says:
            assert text in last


@pytest.fixture
def run(monkeypatch, capfd):
    """Return a function that runs the program in a folder, in this process: imports take most of the time."""
    monkeypatch.setenv("NO_COLOR", "1")

    def run(folder, *arguments):
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["tetherpy", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        return Ran(end.value.code, *capfd.readouterr())

    return run


def run_process(folder: Path, *arguments: str) -> Ran:
    command = [sys.executable, "-m", "tetherpy.cli", *arguments]
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False, env=environment)
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def app(run, tmp_path):
    (tmp_path / "tether.yaml").write_text(MINIMAL)
    assert run(tmp_path, "generate").code == 0
    return tmp_path


def test_generate_lists_the_changes_of_each_file(app):
    (app / "providers" / "database.py").unlink()
    ran = run_process(app, "generate")
    assert ran.out.splitlines() == [
        "providers/__init__.py\tunchanged",
        "providers/background_jobs.py\tunchanged",
        "providers/background_service.py\tunchanged",
        "providers/database.py\tcreated",
    ]
    rows = json.loads(run_process(app, "generate", "--json").out)
    assert rows[0] == {"file": "providers/__init__.py", "change": "unchanged"}


def test_check_writes_nothing_and_fails_when_a_file_differs(run, app):
    assert run(app, "generate", "--check").code == 0
    (app / "tether.yaml").write_text(MINIMAL + "    database_path: other.db\n")
    before = (app / "providers" / "database.py").read_text()
    ran = run(app, "generate", "--check")
    ran.failed("providers/database.py differs from the sources generated from tether.yaml. Run tetherpy generate")
    assert ran.out == "providers/database.py\tupdated\n"
    assert '+    return Path(folder, "other.db")' in ran.err
    assert (app / "providers" / "database.py").read_text() == before


def test_an_edited_file_is_shown_and_kept_without_force(run, app):
    edited = app / "providers" / "database.py"
    edited.write_text(edited.read_text() + "# mine \x1b[31m\n")
    ran = run(app, "generate")
    ran.failed("providers/database.py", "--force")
    assert "-# mine \\x1b[31m" in ran.err
    assert "# mine" in edited.read_text()
    assert run(app, "generate", "--force").code == 0
    assert "# mine" not in edited.read_text()


def test_an_invalid_setting_is_a_one_line_error_with_its_position(run, app):
    (app / "tether.yaml").write_text(MINIMAL + "    databse_path: x.db\n")
    ran = run(app, "generate")
    ran.failed("tether.yaml:4:5: Unknown key 'databse_path'. Did you mean 'database_path'?")
    assert ran.err.splitlines()[:-1] == ["        databse_path: x.db", "        ^"]
    (app / "tether.yaml").write_text("a: \x1b[31m\n")
    ran = run(app, "generate")
    assert ran.err.splitlines()[:-1] == ["    a: \\x1b[31m", "       ^"]
    (app / "tether.yaml").write_text(MINIMAL + "    databse_path: x.db\n")
    run(app, "jobs", "list").failed("tether.yaml:4:5:")


def test_settings_in_another_folder_have_their_files_there(run, tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "tether.yaml").write_text(MINIMAL)
    assert run(tmp_path, "generate", "--config", "app/tether.yaml").code == 0
    assert (tmp_path / "app" / "providers" / "database.py").is_file()


def test_without_settings_or_with_empty_ones_the_error_has_a_remedy(run, tmp_path):
    run(tmp_path, "generate").failed("tetherpy init")
    (tmp_path / "tether.yaml").write_text("generation: {}\n")
    run(tmp_path, "generate").failed("enabled to true")


def test_init_overwrites_nothing_and_names_existing_files(run, tmp_path):
    made = run(tmp_path, "init")
    assert made.code == 0
    assert "Next:\n    python main.py" in made.err
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    run(tmp_path, "init").failed("main.py", "Choose an empty folder.")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_init_in_a_folder_that_cannot_be_written_is_a_one_line_error(run, tmp_path):
    (tmp_path / "file").touch()
    run(tmp_path, "init", "file/shop").failed("file: File exists")
    run(tmp_path, "init", "n" * 300).failed("File name too long")


def test_init_in_an_unwritable_folder_names_the_folder(run, tmp_path):
    run(tmp_path, "init", "/proc/self").failed("error: /proc/self: ")


def test_init_accepts_any_name_and_its_printed_commands_work(run, tmp_path):
    for name in ("-my shop-", "it's"):
        printed = run(tmp_path, "init", "--", name).err
        moved = next(line.strip() for line in printed.splitlines() if line.strip().startswith("cd "))
        where = subprocess.run(f"{moved} && pwd", shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert where.stdout == f"{tmp_path / name}\n"


def test_an_empty_name_is_an_error(run, tmp_path):
    assert run(tmp_path, "init", "").code == 2
    assert not [*tmp_path.iterdir()]


def test_migrate_applies_the_migrations_of_the_settings(app):
    (app / "tether.yaml").write_text(MINIMAL + "    migrations: schema:MIGRATIONS\n")
    run_process(app, "migrate").failed("'schema:MIGRATIONS' cannot be used as migrations")
    (app / "schema.py").write_text(
        "from tetherpy.database import Migration\n"
        'MIGRATIONS = [Migration(1, "mails", "CREATE TABLE mails (address TEXT)")]\n'
    )
    ran = run_process(app, "migrate")
    assert ran.code == 0, ran.err
    own = [line for line in ran.out.splitlines() if line.startswith("app\t1\t")]
    assert [line.split("\t")[-1] for line in own] == ["mails"]


def test_the_database_of_the_app_is_found_from_its_subfolders(run, app):
    below = app / "deep" / "er"
    below.mkdir(parents=True)
    run(below, "jobs", "list").failed(f"There is no database '{app / 'app.db'}'")
    assert run(below, "migrate").code == 0
    assert run(below, "jobs", "list").code == 0
    assert (app / "app.db").is_file()
