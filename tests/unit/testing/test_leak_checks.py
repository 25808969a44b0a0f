"""A resource that a test leaks fails the test; the message names the resource, its origin and the remedy."""

import tracemalloc

import pytest

from tetherpy.testing.leaks.files import left_open, open_handles

pytestmark = pytest.mark.slow

LEAKS = """
import asyncio
import gc
import socket
import pytest
from tetherpy import Provider, ProviderContainer, StateProvider

value = StateProvider(lambda ref: 0, name="value")
feed = StateProvider.auto_dispose.family(lambda ref, key: key)
kept = []

def ignore(previous, value):
    pass

def forget_container():
    kept.append(ProviderContainer())
    kept[-1].read(value)

async def wait_for_ever():
    await asyncio.Event().wait()
"""


def test_a_test_without_leaks_passes(suite):
    result = suite(
        LEAKS
        + """
async def test_tidy(container, make_container, tmp_path):
    with ProviderContainer() as own, own.listen(feed(1), ignore):
        pass
    container.listen(value, ignore)
    container.read(feed(2))
    with container.listen(feed(3), ignore), open(tmp_path / "file", "w"):
        pass
    task = asyncio.create_task(wait_for_ever())
    await asyncio.sleep(0)
    task.cancel()
    ProviderContainer()  # nothing was built in it

@pytest.fixture
async def background(container):
    task = asyncio.create_task(wait_for_ever())
    yield task
    task.cancel()

async def test_fixtures_end_before_it_is_looked(background, tmp_path):
    pass

def test_a_test_without_the_fixtures_is_not_watched():
    forget_container()

def test_sync_tidy(container):
    container.read(feed(1))
"""
    )
    result.assert_outcomes(passed=4)


def test_each_kind_of_leak_fails_the_test_and_names_it(suite):
    result = suite(
        LEAKS
        + """
async def test_container(make_container):
    forget_container()

def test_container_sync(make_container):
    forget_container()

async def test_listener(container):
    container.listen(feed(7), ignore)

async def test_task(container):
    asyncio.get_running_loop().create_task(wait_for_ever(), name="the pump")
    await asyncio.sleep(0)

async def test_task_that_nobody_holds(container):
    asyncio.create_task(wait_for_ever())
    await asyncio.sleep(0)
    gc.collect()

async def test_file(container, tmp_path):
    kept.append(open(tmp_path / "left.txt", "w"))

def test_socket(container):
    kept.append(socket.socket())

def test_next_is_not_blamed(container):
    for thing in kept:
        getattr(thing, "close", lambda: None)()
"""
    )
    result.assert_outcomes(passed=8, errors=7)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_container _*",
            "The test has left 1 thing behind:",
            "  provider: StateProvider(value) in <ProviderContainer at * 1 providers>, which was not disposed",
            "    made at test_app.py:* in forget_container",
            "    Use the fixture `make_container` or `with ProviderContainer(...)`, or dispose it where it is made.",
            "  (If it is meant to: @pytest.mark.allow_leaks('provider').)",
            "*ERROR at teardown of test_container_sync _*",
            "  provider: StateProvider(value) in *",
            "*ERROR at teardown of test_listener _*",
            "  provider: StateProvider(<lambda>(7)) is auto-dispose and still listened to (1 listeners)",
            "    made at test_app.py:* in test_listener",
            "    Close what container.listen, observe or stream returned: `with container.listen(...):` does.",
            "*ERROR at teardown of test_task _*",
            "  task: the pump running wait_for_ever(), which waits at test_app.py:* in wait_for_ever",
            "    made at test_app.py:* in test_task",
            "    Await it or cancel it; ref.create_task ties a task to the life of a provider.",
            "*ERROR at teardown of test_task_that_nobody_holds _*",
            "  task: * running wait_for_ever(), which waits at test_app.py:* in wait_for_ever",
            "*ERROR at teardown of test_file _*",
            "  file: */left.txt (descriptor *), open as <_io.FileIO name='*/left.txt' mode='wb' closefd=True>",
            "    Close it: `with open(...)`, or ref.enter in a provider.*",
            "*ERROR at teardown of test_socket _*",
            "  file: socket:* (descriptor *), open as <socket.socket *>",
        ],
    )


def test_failed_tests_and_allowed_kinds_report_no_leaks(suite):
    result = suite(
        LEAKS
        + """
async def test_fails(container):
    forget_container()
    asyncio.create_task(wait_for_ever())
    assert not "the real reason"

@pytest.mark.allow_leaks("task")
async def test_allowed(container):
    asyncio.create_task(wait_for_ever())

@pytest.mark.allow_leaks
async def test_all_allowed(container):
    forget_container()
    asyncio.create_task(wait_for_ever())

@pytest.mark.allow_leaks("tasks")
def test_misspelt(container):
    pass

@pytest.mark.allow_leaks("file")
async def test_allowed_is_another_kind(container):
    asyncio.create_task(wait_for_ever())
"""
    )
    result.assert_outcomes(failed=1, passed=3, errors=2)
    result.stdout.fnmatch_lines(["*allow_leaks is 'tasks'; it takes 'provider', 'task', 'file'."])
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_allowed_is_another_kind _*", "  task: * running *"])
    result.stdout.no_fnmatch_line("*1 thing behind*forget*")


def test_tracemalloc_shows_where_a_file_was_opened(tmp_path):
    before = open_handles()
    tracemalloc.start()
    try:
        with open(tmp_path / "left.txt", "w"):
            (leak,) = left_open(before)
        assert left_open(before) == []
    finally:
        tracemalloc.stop()
    assert leak.made_at.file == __file__
    assert str(leak.made_at).endswith(f"test_leak_checks.py:{leak.made_at.line}")
    assert "left.txt" in leak.what
