"""The test command's search for programs: it never fails, and says in one line why there is none."""

import sys

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


def test_the_search_knows_the_names_that_systems_give_a_chromium(monkeypatch, tmp_path):
    browser = tmp_path / "google-chrome"
    browser.write_text("#!/bin/sh\n")
    browser.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert chromium.find() == str(browser)
