"""In the folder of an app ``tether.yaml`` gives the settings; options and environment variables have priority."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tetherpy.cli.parameters.database_location import find_database

SETTINGS = """\
generation:
  background_services:
    enabled: true
    database_path: data/app.db
    app_initialization_callback: shop:initialize
    initial_notification_title: The shop
"""


@pytest.fixture
def app(command, tmp_path, monkeypatch):
    """Return a function that runs commands in a folder inside an app."""
    monkeypatch.delenv("TETHERPY_DATABASE")
    (tmp_path / "tether.yaml").write_text(SETTINGS)
    (tmp_path / "data").mkdir()
    (tmp_path / "inner" / "most").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "inner" / "most")
    return command


@pytest.mark.parametrize("variable", [None, ""])
def test_the_database_is_that_of_the_nearest_settings_and_relative_to_them(app, tmp_path, monkeypatch, variable):
    if variable is not None:
        monkeypatch.setenv("TETHERPY_DATABASE", variable)
    assert app("migrate").code == 0
    assert (tmp_path / "data" / "app.db").exists()


def test_environment_and_option_have_priority(app, tmp_path, monkeypatch):
    monkeypatch.setenv("TETHERPY_DATABASE", "environment.db")
    assert app("jobs", "enqueue", "greet", "--database", "option.db").code == 0
    assert (tmp_path / "inner" / "most" / "option.db").exists()
    assert not (tmp_path / "inner" / "most" / "environment.db").exists()
    assert app("jobs", "enqueue", "greet").code == 0
    assert (tmp_path / "inner" / "most" / "environment.db").exists()
    assert not (tmp_path / "data" / "app.db").exists()


def test_invalid_settings_are_an_error_with_a_position(app, tmp_path):
    (tmp_path / "tether.yaml").write_text(SETTINGS.replace("database_path", "database_pth"))
    ran = app("jobs", "list")
    assert (ran.code, ran.out) == (1, "")
    *place, line = ran.err.splitlines()
    assert place[0].strip() == "database_pth: data/app.db"
    assert line.startswith("error: ")
    assert "tether.yaml:4" in line
    assert "'database_path'" in line


def test_a_service_is_installed_for_the_app_and_uninstalled(app, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert app("service", "uninstall").code == 1
    installed = app("service", "install", "--manager", "systemd", "--processes", "2")
    assert installed.code == 0
    (unit,) = (tmp_path / "config" / "systemd" / "user").iterdir()
    assert installed.out == f"{unit}\n"
    told = f"\nNext:\n    systemctl --user daemon-reload\n    systemctl --user enable --now {unit.stem}\n"
    assert installed.err == told
    assert stat.S_IMODE(unit.stat().st_mode) == 0o600
    text = unit.read_text()
    assert f"WorkingDirectory={tmp_path}\n" in text
    assert f'"TETHERPY_DATABASE={tmp_path}/data/app.db"' in text
    assert '"--callback" "shop:initialize" "--processes" "2"' in text
    assert app("service", "install", "--manager", "systemd", "--processes", "2", "--print").out == text
    enabled = unit.parent / "default.target.wants" / unit.name
    enabled.parent.mkdir()
    enabled.symlink_to(unit)
    uninstalled = app("service", "uninstall", "--manager", "systemd")
    assert uninstalled.out == f"{unit}\n"
    assert f"    systemctl --user stop {unit.stem}\n" in uninstalled.err
    assert not unit.exists()
    assert not enabled.is_symlink()


def test_an_agent_is_loaded_and_an_earlier_one_is_unloaded_first(app, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "my home"))
    first = app("service", "install", "--manager", "launchd")
    agent = Path(first.out.removesuffix("\n"))
    load = f"    launchctl bootstrap gui/{os.getuid()} '{agent}'\n"
    forget = f"    launchctl bootout gui/{os.getuid()}/{agent.stem}\n"
    assert first.err == f"\nNext:\n{load}"
    assert app("service", "install", "--manager", "launchd").err == f"\nNext:\n{forget}{load}"
    assert app("service", "uninstall", "--manager", "launchd").err == f"\nNext:\n{forget}"


@pytest.mark.parametrize(
    ("named", "package"),
    [
        ("data/app.db", "providers"),
        ("data/app.db", "inner.state"),
        ("../shared.db", "providers"),
        ("~/shop.db", "providers"),
        ("/ROOT/absolute.db", "providers"),
        ("postgresql://me@host/app", "providers"),
    ],
)
def test_the_app_and_its_commands_use_one_database_from_any_folder(app, tmp_path, monkeypatch, named, package):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    named = named.replace("/ROOT", str(tmp_path))
    (tmp_path / "tether.yaml").write_text(
        SETTINGS.replace("data/app.db", named).replace("true\n", f"true\n    package: {package}\n")
    )
    assert app("generate", "--config", str(tmp_path / "tether.yaml")).code == 0
    asked = (
        f"from {package} import database_path_provider as path; from tetherpy import ProviderContainer; "
        "from tetherpy.database import sqlite_path\n"
        "address = ProviderContainer().read(path)\n"
        "print(address if '://' in str(address) else sqlite_path(address))"
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    python = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{asked}"]
    used = subprocess.run(python, cwd=elsewhere, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    commands = find_database(None)
    assert used == (commands if "://" in commands else str(Path(commands).resolve()))
