"""``ProviderContainer.test`` and the plugin that disposes what it makes, as a user's tests see them."""

import subprocess
import sys

import pytest

from tetherpy import ProviderContainer
from tetherpy.reactive import NoTestError

pytestmark = pytest.mark.slow

SUITE = """
import asyncio
import pytest
from tetherpy import Provider, ProviderContainer

ended = []

@Provider
def resource(ref):
    ref.on_dispose(lambda: ended.append("resource"))
    return 1

@Provider
def slow_resource(ref):
    async def leave():
        await asyncio.sleep(0)
        ended.append("slow resource")
    ref.on_dispose(leave)
    return 2

@Provider
def broken_resource(ref):
    async def leave():
        raise OSError("stuck")
    ref.on_dispose(leave)
    return 3

@pytest.fixture
def container():
    return ProviderContainer.test(overrides=[resource.override_with_value(7)])

def test_first(container):
    other = ProviderContainer.test()
    assert (container.read(resource), other.read(resource), other.read(slow_resource)) == (7, 1, 2)
    assert ended == []

def test_second():
    assert ended == ["resource", "slow resource"]

def test_an_error_in_disposal_fails_the_test():
    ProviderContainer.test().read(broken_resource)
"""


def test_containers_are_disposed_when_the_test_ends_and_an_error_in_that_fails_it(tmp_path):
    (tmp_path / "test_app.py").write_text(SUITE)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "test_app.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "3 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert "OSError: stuck" in done.stdout


def test_outside_a_test_the_error_has_a_remedy(monkeypatch):
    monkeypatch.setattr(ProviderContainer, "test_scope", None)
    with pytest.raises(NoTestError, match="with ProviderContainer"):
        ProviderContainer.test()


def test_the_fixture_lists_the_containers_of_the_test(tetherpy_containers):
    container = ProviderContainer.test()
    assert tetherpy_containers.opened == [container]
    assert not container.disposed
