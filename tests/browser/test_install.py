"""The test command's search for a browser: it never fails, and says in one line why there is none."""

import sys

from tests.browser import chromium, install


def test_nothing_happens_if_there_is_a_browser(monkeypatch, capsys):
    monkeypatch.setattr(chromium, "find", lambda: "/usr/bin/chromium")
    monkeypatch.setattr(install, "ways", lambda: 1 / 0)
    install.main()
    assert capsys.readouterr().out == ""


def test_ways_are_tried_until_one_brings_a_browser(monkeypatch, tmp_path, capsys):
    browser = tmp_path / "chromium"
    monkeypatch.setattr(chromium, "find", lambda: str(browser) if browser.exists() else None)
    broken = [sys.executable, "-c", "import sys; sys.exit('no network')"]
    working = [sys.executable, "-c", f"open({str(browser)!r}, 'w')"]
    monkeypatch.setattr(install, "ways", lambda: [("one", broken), ("two", working), ("three", broken)])
    install.main()
    assert [line.rpartition(" ")[2] for line in capsys.readouterr().out.splitlines()] == ["one.", "two."]


def test_why_there_is_none_is_said_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr(chromium, "find", lambda: None)
    commands = [
        ("one", [sys.executable, "-c", "import sys; print('first'); sys.exit('first\\nno network')"]),
        ("two", ["/nowhere/to/be/found"]),
        ("three", [sys.executable, "-c", ""]),
    ]
    monkeypatch.setattr(install, "ways", lambda: commands)
    install.main()
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith(
        "The browser tests will not run, because no Chromium could be installed (one: no network; two:"
    )
    assert last.endswith("three: it installed none).")


def test_the_search_knows_the_names_that_systems_give_it(monkeypatch, tmp_path):
    browser = tmp_path / "google-chrome"
    browser.write_text("#!/bin/sh\n")
    browser.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert chromium.find() == str(browser)
