"""A forked child keeps no lock, socket or pipe of its parent open."""

import os
import threading

import pytest

from tetherpy.service.protocol.locks import is_locked, try_lock, unlock
from tetherpy.service.protocol.private_descriptors import close_private, disown, open_private, open_private_pipe


@pytest.fixture
def in_child():
    """Return a function that forks, calls a function in the child, and returns its exit status."""

    def run(function):
        child = os.fork()
        if not child:
            os._exit(function())
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)

    return run


@pytest.fixture
def living_child():
    """Return a function that forks a child, which runs until the test ends, and returns when it runs."""
    children = []

    def start():
        running, runs = os.pipe()
        done, may_end = os.pipe()
        child = os.fork()
        if not child:
            os.write(runs, b"x")
            os.close(may_end)
            os.read(done, 1)
            os._exit(0)
        children.append((child, may_end))
        os.read(running, 1)
        for descriptor in (running, runs, done):
            os.close(descriptor)

    yield start
    for child, may_end in children:
        os.close(may_end)
        os.waitpid(child, 0)


def test_a_forked_child_keeps_no_lock(tmp_path, living_child):
    lock = try_lock(tmp_path / "lock")
    living_child()
    close_private(lock)
    assert not is_locked(tmp_path / "lock")


def test_the_end_of_a_pipe_is_detected_despite_a_forked_child(living_child):
    reading, writing = open_private_pipe()
    living_child()
    close_private(writing)
    assert os.read(reading, 1) == b""
    close_private(reading)


def test_a_descriptor_number_that_was_reused_stays_open_in_the_child(in_child):
    stale = open_private(lambda: os.open("/etc/passwd", os.O_RDONLY))
    os.close(stale)
    reading, writing = os.pipe()
    assert stale in (reading, writing)
    assert in_child(lambda: 0 if os.write(writing, b"x") else 1) == 0
    assert os.read(reading, 1) == b"x"
    os.close(reading)
    os.close(writing)


def test_a_closed_descriptor_number_stays_reserved_in_the_child(in_child):
    descriptor = open_private(lambda: os.open("/etc/passwd", os.O_RDONLY))

    def close_twice_over():
        is_null = os.fstat(descriptor).st_rdev == os.stat(os.devnull).st_rdev
        os.close(descriptor)
        return 0 if is_null else 1

    assert in_child(close_twice_over) == 0
    close_private(descriptor)


def test_a_descriptor_that_was_disowned_stays_open_in_the_child(in_child):
    descriptor = open_private(lambda: os.open("/etc/passwd", os.O_RDONLY))
    disown(descriptor)
    assert in_child(lambda: 0 if os.read(descriptor, 1) else 1) == 0
    os.close(descriptor)


def test_unlocking_applies_to_all_copies_of_the_descriptor(tmp_path):
    lock = try_lock(tmp_path / "lock")
    copy = os.dup(lock)
    unlock(lock)
    assert not is_locked(tmp_path / "lock")
    os.close(copy)


def test_threads_may_open_and_close_descriptors_while_others_fork(in_child):
    stop = threading.Event()

    def churn():
        while not stop.is_set():
            close_private(open_private(lambda: os.open(os.devnull, os.O_RDONLY)))

    threads = [threading.Thread(target=churn) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(15):
            assert in_child(lambda: 0) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
