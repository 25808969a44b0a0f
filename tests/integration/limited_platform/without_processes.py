"""A pytest plugin that takes ``fork``, Unix sockets and more of POSIX from an interpreter, as on Windows."""

from __future__ import annotations

import os
import signal
import socket
import sys

import pytest

MISSING = {
    os: ["fork", "forkpty", "register_at_fork", "geteuid", "killpg", "fchown", "fchmod", "pidfd_open", "O_NOFOLLOW"],
    signal: ["SIGKILL", "SIGCHLD", "SIGHUP", "pthread_sigmask"],
    socket: ["AF_UNIX"],
}
MISSING_MODULES = ("fcntl", "pwd", "grp", "resource", "termios", "pty", "tty")


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """Take them after the conftests, which use them, and before the tests import their parts of tetherpy."""
    take_away()


def take_away() -> None:
    """Remove the names from their modules, before the parts of tetherpy that use them are imported."""
    assert "tetherpy.service.protocol.platform_support" not in sys.modules
    socket.socketpair = _pair_over_the_loopback  # asyncio wakes its loop with one
    for module, names in MISSING.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    for name in MISSING_MODULES:
        sys.modules[name] = None  # type: ignore[assignment]


def _pair_over_the_loopback(*_: object) -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        return one, listener.accept()[0]
