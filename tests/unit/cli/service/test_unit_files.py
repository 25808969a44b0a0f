"""Generated systemd units and launchd agents have the given meaning for any path and name."""

import os
import plistlib
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tetherpy.cli.errors import UnitTextError
from tetherpy.cli.service.unit_files import Manager, unit_name, unit_text
from tetherpy.cli.service.worker_options import WorkerPlan

ODD = "a b%h 50% \"q\" 's' $HOME ${HOME} back\\slash ;#é"


def plan(database="/data/shop.db", folder="/srv/shop", queues=None, **options):
    defaults = {"callback": "shop.worker:initialize", "processes": 2, "concurrency": 5, "retention": None}
    return WorkerPlan(database=database, folder=Path(folder), queues=queues, **{**defaults, **options})


def test_the_launchd_agent_has_the_given_options():
    asked = plan(
        database=f"/data/{ODD}/shop.db", folder=f"/srv/{ODD}", queues=(ODD, "slow"), retention=timedelta(days=30)
    )
    agent = plistlib.loads(unit_text(Manager.LAUNCHD, "tetherpy-shop", asked).encode())
    assert agent["Label"] == "tetherpy-shop"
    assert agent["ProgramArguments"] == [
        *(sys.executable, "-m", "tetherpy.cli", "worker", "--callback", "shop.worker:initialize"),
        *("--processes", "2", "--concurrency", "5", "--queue", ODD, "--queue", "slow", "--retention", "2592000s"),
        *("--log-level", "INFO", "--log-format", "text", "--job-logs"),
    ]
    assert agent["EnvironmentVariables"] == {"TETHERPY_DATABASE": f"/data/{ODD}/shop.db"}
    assert agent["WorkingDirectory"] == f"/srv/{ODD}"
    assert agent["KeepAlive"] == {"SuccessfulExit": False}


def directive(text, name):
    (line,) = [line for line in text.splitlines() if line.startswith(f"{name}=")]
    return line.partition("=")[2]


def read_as_systemd(text, *, variables):
    """Split words as systemd.syntax and systemd.unit define: quotes, backslashes, %% and, in commands, $$."""
    words, word, quoted = [], "", False
    characters = iter(text)
    for character in characters:
        match character:
            case "\\":
                word += next(characters)
            case '"':
                quoted = not quoted
            case "%":
                assert next(characters) == "%", "a specifier"
                word += "%"
            case "$" if variables:
                assert next(characters) == "$", "a variable"
                word += "$"
            case " " if not quoted:
                words.append(word)
                word = ""
            case _:
                word += character
    assert not quoted
    return [*words, word]


def test_the_systemd_unit_has_the_given_options():
    asked = plan(database=f"/data/{ODD}/shop.db", folder=f"/srv/{ODD}", queues=(ODD,))
    text = unit_text(Manager.SYSTEMD, "tetherpy-shop", asked)
    assert read_as_systemd(directive(text, "ExecStart"), variables=True) == list(asked.command)
    assert read_as_systemd(directive(text, "Environment"), variables=False) == [
        f"TETHERPY_DATABASE=/data/{ODD}/shop.db"
    ]
    assert directive(text, "WorkingDirectory") == f"/srv/{ODD}".replace("%", "%%")
    assert directive(text, "KillMode") == "mixed"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this system")
@pytest.mark.parametrize("odd", ["", " 50% of it"])
def test_systemd_accepts_the_unit(tmp_path, odd):
    folder = tmp_path / f"shop{odd}"
    folder.mkdir()
    asked = plan(database=str(folder / f"shop{odd}.db"), folder=str(folder), queues=("slow queue",))
    unit = tmp_path / "tetherpy-shop.service"
    unit.write_text(unit_text(Manager.SYSTEMD, "tetherpy-shop", asked))
    assert verify(unit) == ""
    unit.write_text(unit.read_text().replace("KillMode=mixed", "KillMode=gently"))
    assert "gently" in verify(unit)


def verify(unit):
    """Return the messages of systemd-analyze about a unit, without those about this machine."""
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--user", unit],
        env={**os.environ, "XDG_RUNTIME_DIR": str(unit.parent)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return "\n".join(line for line in verified.stderr.splitlines() if unit.stem in line)


@pytest.mark.parametrize("manager", Manager)
@pytest.mark.parametrize("text", ["line\nbreak", "bell\x07", "null\x00", "tab\t", "\udcff"])
def test_values_that_neither_format_can_express_are_refused(manager, text):
    with pytest.raises(UnitTextError):
        unit_text(manager, "name", plan(folder=f"/srv/{text}"))
    with pytest.raises(UnitTextError):
        unit_text(manager, "name", plan(queues=(text,)))


def test_each_database_has_its_own_unit_name():
    names = [
        unit_name(path) for path in ("/a/shop.db", "/b/shop.db", "/a/Shop!.db", "/a/.db", "postgresql://h/shop?x=1")
    ]
    assert len(set(names)) == len(names)
    assert names[0].startswith("tetherpy-shop-")
    assert names[4].startswith("tetherpy-shop-")
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in names)


def test_a_password_is_in_neither_command_nor_description():
    asked = plan(database="postgresql://user:secret@host/shop")
    assert not any("secret" in word for word in asked.command)
    text = unit_text(Manager.SYSTEMD, "tetherpy-shop", asked)
    assert [line.partition("=")[0] for line in text.splitlines() if "secret" in line] == ["Environment"]
