"""The test command's search for programs: it never fails, and says in one line why there is none."""

import sys

import pytest

from tests.browser import chromium
from tests.needs import Need, needs

BROKEN = [sys.executable, "-c", "import sys; sys.exit('no network')"]


def test_nothing_happens_if_it_is_there(capsys):
    Need("Chromium", "Browser tests", lambda: True, [("one", ["/nowhere"])]).meet()
    assert capsys.readouterr().out == ""


def test_ways_are_tried_until_one_brings_it(tmp_path, capsys):
    program = tmp_path / "chromium"
    working = [sys.executable, "-c", f"open({str(program)!r}, 'w')"]
    Need("Chromium", "Browser tests", program.exists, [("one", BROKEN), ("two", working), ("three", BROKEN)]).meet()
    assert capsys.readouterr().out.splitlines() == [
        "Browser tests: no Chromium here, trying one.",
        "Browser tests: no Chromium here, trying two.",
    ]


def test_why_there_is_none_is_said_in_one_line(capsys):
    ways = [
        ("one", [sys.executable, "-c", "import sys; print('first'); sys.exit('first\\nno network')"]),
        ("two", ["/nowhere/to/be/found"]),
        ("three", [sys.executable, "-c", ""]),
    ]
    Need("Chromium", "Browser tests", lambda: False, ways).meet()
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith("Browser tests will not run, because there is no Chromium (one: no network; two:")
    assert last.endswith("three: it installed none).")


def test_without_a_way_that_is_said_too(capsys):
    Need("dbus-daemon", "Notification tests", lambda: False, []).meet()
    assert capsys.readouterr().out.endswith("(no way to install one is known here).\n")


def test_what_the_project_needs_is_looked_for_where_it_is():
    assert [need.program for need in needs()] == ["Chromium", "dbus-daemon"]


def make_program(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare_system(monkeypatch, tmp_path):
    """A system whose programs are in one folder, and that has no browser of Playwright's."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "browsers"))
    return tmp_path


def test_the_search_knows_the_names_that_systems_give_a_chromium(bare_system):
    assert chromium.find() is None
    browser = make_program(bare_system / "bin" / "google-chrome")
    assert chromium.find() == chromium.find_shell() == str(browser)


def test_a_headless_shell_is_found_beside_playwrights_chromium_and_on_the_system(bare_system):
    browser = make_program(chromium.named_by_playwright())
    assert chromium.find() == chromium.find_shell() == str(browser)
    revision = browser.parents[1].name.removeprefix("chromium-")
    folder = bare_system / "browsers" / f"chromium_headless_shell-{revision}" / "chrome-headless-shell-linux64"
    shell = make_program(folder / "chrome-headless-shell")
    assert chromium.find_shell() == str(shell)
    systems = make_program(bare_system / "bin" / chromium.SHELL)
    assert chromium.find_shell() == str(systems)
    assert chromium.find() == str(browser)
