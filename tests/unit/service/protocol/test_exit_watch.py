"""Watches of the end of a process."""

import asyncio
import os
import socket
import subprocess
import sys

import pytest

from tetherpy.service.protocol.exit_watch import watch_exit


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the system has no process descriptors")
async def test_a_watch_that_has_ended_leaves_the_file_alone_that_has_its_number_now():
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    child = subprocess.Popen([sys.executable, "-c", ""])
    number = os.dup(0)
    os.close(number)  # the lowest free number, which the watch gets
    close = watch_exit(loop, child.pid, ended.set)
    assert "pidfd" in os.readlink(f"/proc/self/fd/{number}")
    await ended.wait()
    child.wait()
    first, second = socket.socketpair()
    with first, second:
        assert first.fileno() == number
        loop.add_reader(number, lambda: None)  # as a connection that waits
        close()
        second.send(b"x")
        assert first.recv(1) == b"x"
        loop.remove_reader(number)
