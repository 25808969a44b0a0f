"""A command imports its modules when it runs; checked in ``sys.modules`` of a new interpreter."""

import importlib
import json
import subprocess
import sys

import pytest
from typer.core import TyperGroup

from tetherpy.cli.app import COMMANDS
from tetherpy.cli.lazy_commands import LazyCommand
from tetherpy.cli.root import root

pytestmark = [pytest.mark.slow, pytest.mark.new_interpreter]

HEAVY = {"aiosqlite", "sqlite3", "asyncio", "reactivex", "rich", "msgspec", "attrs", "ruamel", "starlette", "textual"}
PACKAGES = {"tetherpy.service", "tetherpy.jobs", "tetherpy.database", "tetherpy.reactive", "tetherpy.generator"}


def loaded_by(*arguments):
    script = (
        "import json, sys\n"
        "from tetherpy.cli.app import main\n"
        f"sys.argv = ['tetherpy', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0, end.code\n"
        "print('loaded', json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(done.stdout.rpartition("loaded ")[2]))


@pytest.mark.parametrize("arguments", [("--help",), (), ("--version",), ("jobs", "--help"), ("jobs",)])
def test_help_imports_no_command_and_no_heavy_module(arguments):
    loaded = loaded_by(*arguments)
    assert not loaded & (HEAVY | PACKAGES)
    assert "tetherpy.cli.root" in loaded
    assert not [name for name in loaded if name.startswith("tetherpy.cli.jobs.") and name != "tetherpy.cli.jobs.group"]


def test_a_list_imports_only_the_modules_it_needs(tmp_path):
    assert loaded_by("migrate", "--database", str(tmp_path / "shop.db"))
    loaded = loaded_by("jobs", "list", "--database", str(tmp_path / "shop.db"))
    assert {"aiosqlite", "tetherpy.jobs.sqlite.engine", "tetherpy.cli.jobs.list_command"} <= loaded
    unwanted = {"pydantic", "reactivex", "rich", "ruamel", "psycopg", "starlette", "textual"}
    packages = {"tetherpy.service", "tetherpy.reactive", "tetherpy.generator", "tetherpy.ui", "tetherpy.jobs.manager"}
    assert sorted(loaded & (unwanted | packages)) == []


def stand_ins(group, path=()):
    for name, command in group.commands.items():
        assert isinstance(command, LazyCommand)
        yield " ".join((*path, name)), command
        loaded = command.load()
        if isinstance(loaded, TyperGroup):
            yield from stand_ins(loaded, (*path, name))


ALL = dict(stand_ins(root(COMMANDS)))


def test_every_summary_fits_in_80_columns(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("", *(name for name, stand_in in ALL.items() if isinstance(stand_in.load(), TyperGroup))):
        root(COMMANDS).main([*name.split(), "--help"], prog_name="tetherpy", standalone_mode=False)
        _, _, listed = capsys.readouterr().out.partition("Commands:\n")
        assert listed
        assert "..." not in listed


@pytest.mark.parametrize("name", ALL)
def test_a_summary_is_the_first_sentence_of_the_help(name):
    stand_in = ALL[name]
    assert importlib.import_module(stand_in.module).__doc__
    assert stand_in.load().help.startswith(stand_in.help.removesuffix("."))
