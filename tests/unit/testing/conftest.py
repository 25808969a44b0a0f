"""Test suites of users, run in a separate pytest process."""

import textwrap
import threading

import pytest

INI = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
addopts = --strict-markers
"""


@pytest.fixture
def suite(pytester, monkeypatch):
    """Run a test module and return the output of pytest; other modules are given by name."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    def run(source, *arguments, ini=INI, **modules):
        pytester.makeini(ini)
        pytester.makepyfile(**{name: textwrap.dedent(text) for name, text in {"test_app": source, **modules}.items()})
        pytester.syspathinsert()
        return pytester.runpytest_inprocess(
            *["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:hypothesispytest"], *arguments
        )

    return run


@pytest.fixture
def limit_starts(monkeypatch):
    """Return an event with which a handler starts the limit of its ``drain``: before, a slow machine may take long."""
    started = threading.Event()

    class Timer(threading.Timer):
        def run(self):
            assert started.wait(25)
            super().run()

    monkeypatch.setattr("tetherpy.testing.real_time_limit.threading.Timer", Timer)
    return started
