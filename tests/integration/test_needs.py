"""``tests.needs`` looks for programs: it never fails, and prints in one line why one is missing."""

import sys

import pytest

from tests.browser import chromium
from tests.needs import Need, needs

BROKEN = [sys.executable, "-c", "import sys; sys.exit('no network')"]


def test_an_existing_program_is_not_installed(capsys):
    Need("Chromium", "Browser tests", lambda: True, [("one", ["/nowhere"])]).meet()
    assert capsys.readouterr().out == ""


def test_ways_to_install_are_tried_in_order_until_one_succeeds(tmp_path, capsys):
    program = tmp_path / "chromium"
    working = [sys.executable, "-c", f"open({str(program)!r}, 'w')"]
    Need("Chromium", "Browser tests", program.exists, [("one", BROKEN), ("two", working), ("three", BROKEN)]).meet()
    assert capsys.readouterr().out.splitlines() == [
        "Browser tests: no Chromium here, trying one.",
        "Browser tests: no Chromium here, trying two.",
    ]


def test_a_missing_program_is_reported_in_one_line(capsys):
    ways = [
        ("one", [sys.executable, "-c", "import sys; print('first'); sys.exit('first\\nno network')"]),
        ("two", ["/nowhere/to/be/found"]),
        ("three", [sys.executable, "-c", ""]),
    ]
    Need("Chromium", "Browser tests", lambda: False, ways).meet()
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith("Browser tests will not run, because there is no Chromium (one: no network; two:")
    assert last.endswith("three: it installed none).")


def test_a_program_without_a_way_to_install_is_reported(capsys):
    Need("dbus-daemon", "Notification tests", lambda: False, []).meet()
    assert capsys.readouterr().out.endswith("(no way to install one is known here).\n")


def test_programs_that_the_project_needs_are_found():
    assert [need.program for need in needs()] == ["Chromium", "dbus-daemon"]


def make_program(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare_system(monkeypatch, tmp_path):
    """A system with programs in one folder, and without a browser of Playwright."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "browsers"))
    return tmp_path


def test_chromium_is_found_under_its_names_on_different_systems(bare_system):
    assert chromium.find() is None
    browser = make_program(bare_system / "bin" / "google-chrome")
    assert chromium.find() == chromium.find_shell() == str(browser)


def test_a_headless_shell_of_playwright_or_of_the_system_is_found(bare_system):
    browser = make_program(chromium.named_by_playwright())
    assert chromium.find() == chromium.find_shell() == str(browser)
    revision = browser.parents[1].name.removeprefix("chromium-")
    folder = bare_system / "browsers" / f"chromium_headless_shell-{revision}" / "chrome-headless-shell-linux64"
    shell = make_program(folder / "chrome-headless-shell")
    assert chromium.find_shell() == str(shell)
    systems = make_program(bare_system / "bin" / chromium.SHELL)
    assert chromium.find_shell() == str(systems)
    assert chromium.find() == str(browser)
