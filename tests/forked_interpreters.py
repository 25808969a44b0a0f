"""Start the Python programs of tests as forks of an interpreter that has imported tetherpy already.

An interpreter that imports tetherpy takes about 0.4 s of processor time, a fork 0.02 s, and the suite starts several
hundred. ``install`` replaces the function with which ``subprocess`` creates processes. It passes on everything but
Python programs with simple options. A forked program is a child of the process that starts it, and has the arguments,
descriptors, environment, folder, session and signals that it would have. Tests marked ``new_interpreter`` start real
interpreters, and so do all tests if the variable ``TETHERPY_TEST_NEW_INTERPRETERS`` is set.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import fcntl
import marshal
import os
import signal
import socket
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

VARIABLE = "TETHERPY_TEST_NEW_INTERPRETERS"
SERVER = Path(__file__).with_name("fork_server.py")
PADDING = "x" * 8192
"""Room for the command lines of programs, which ``ps`` shows in place of the server's."""
LONGEST = 100_000
"""Bytes of a request; longer ones exceed what a socket takes at once."""
PR_SET_CHILD_SUBREAPER = 36
OPTIONS = {"-P": 1, "-W": 2, "-X": 2}
"""The options of interpreters for which a server is started, and how many arguments they take up."""
READ_AT_START = (b"PYTHON", b"LC_", b"LANG", b"LD_")
"""Beginnings of variables that an interpreter reads when it starts. A program may have another ``PYTHONPATH``."""
MODULES = ("tetherpy", "examples", "tests")
"""Packages whose modules ``-m`` runs in a fork. Pytest warns when its plugins are imported before it starts."""


def control_terminal() -> None:
    """Make standard input the controlling terminal of a new session: for ``preexec_fn``."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@attrs.define(eq=False)
class ForkServer:
    """A running server: the address of its socket, and the process if this one has started it."""

    address: bytes
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    alive: int = -1

    @classmethod
    def start(cls, options: tuple[str, ...]) -> ForkServer:
        alive_here, alive_there = os.pipe()[::-1]
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind("")  # the kernel chooses an address
            listener.listen(128)
            address = listener.getsockname()
            inherited = (listener.fileno(), alive_there)
            with new_interpreters():
                process = subprocess.Popen(
                    [sys.executable, *options, SERVER, *map(str, inherited), PADDING],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=inherited,
                    cwd="/",
                    env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
                )
        os.close(alive_there)
        started = cls(address, options, process, alive_here)
        atexit.register(started.end)
        return started

    def end(self) -> None:
        """End the server; programs that run are not affected."""
        os.close(self.alive)
        assert self.process is not None
        self.process.wait()

    def fork(self, fields: Mapping[str, Any], descriptors: Sequence[int]) -> int:
        """Start a program as a child of this process, and return its process id."""
        reading, writing = os.pipe()
        try:
            with adoption(), socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
                connection.connect(self.address)
                socket.send_fds(connection, [marshal.dumps(fields)], [reading, *descriptors])
                answer = connection.recv(32)
        finally:
            os.close(reading)
            os.close(writing)  # from now on the program runs
        if not answer:
            raise OSError(f"the fork server at {self.address!r} has ended; its errors are on the standard error stream")
        return int(answer)


@contextlib.contextmanager
def adoption() -> Iterator[None]:
    """Become the parent of descendants whose parent ends."""
    libc = ctypes.CDLL(None)
    with _adopting:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            yield
        finally:
            libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


_adopting = threading.Lock()
_servers: dict[tuple[str, ...], ForkServer] = {}
_pid = os.getpid()
_forks = False
_fork_exec = subprocess._fork_exec


def install(*servers: ForkServer) -> None:
    """Start programs as forks from now on; the servers are those that run already."""
    global _pid, _forks
    _servers.clear()
    _servers.update((server.options, server) for server in servers)
    _pid, _forks = os.getpid(), sys.platform == "linux" and VARIABLE not in os.environ
    subprocess._fork_exec = fork_exec


@contextlib.contextmanager
def new_interpreters() -> Iterator[None]:
    """Start real interpreters until the block ends."""
    global _forks
    before, _forks = _forks, False
    try:
        yield
    finally:
        _forks = before


def fork_exec(*everything: Any) -> int:
    """Create a process, as ``_posixsubprocess.fork_exec`` does."""
    request = _request(*everything) if _forks and os.getpid() == _pid else None
    if request is None:
        return _fork_exec(*everything)
    options, fields, descriptors = request
    if options not in _servers:
        _servers[options] = ForkServer.start(options)
    return _servers[options].fork(fields, descriptors)


def _request(
    arguments: Sequence[Any],
    executables: Sequence[bytes],
    close_others: bool,
    kept: Sequence[int],
    folder: Any,
    environment: Sequence[bytes] | None,
    stdin: int,
    _stdin_writer: int,
    _stdout_reader: int,
    stdout: int,
    _stderr_reader: int,
    stderr: int,
    _errors_reader: int,
    errors: int,
    _restores_signals: bool,
    new_session: bool,
    process_group: int,
    gid: int | None,
    groups: Sequence[int] | None,
    uid: int | None,
    umask: int,
    prepare: Any,
    *_: Any,
) -> tuple[tuple[str, ...], Mapping[str, Any], Sequence[int]] | None:
    """Return the options of the server, the request and its descriptors; None for all but simple Python programs."""
    options, words = options_of([os.fsdecode(argument) for argument in arguments])
    variables = dict(os.environb) if environment is None else dict(entry.split(b"=", 1) for entry in environment)
    if (
        list(executables) != [os.fsencode(sys.executable)]
        or not _is_simple(words)
        or not close_others
        or not (gid is groups is uid is None)
        or prepare not in (None, control_terminal)
        or _read_at_start(variables) != _read_at_start(os.environb)
        or not os.path.isdir(folder or ".")
    ):
        return None
    places = [0, 1, 2, *(number for number in kept if number != errors)]
    streams = [place if given == -1 else given for place, given in enumerate((stdin, stdout, stderr))]
    command_line = [os.fsencode(argument) for argument in arguments]
    fields = {
        "arguments": words,
        "command_line": command_line,
        "environment": variables,
        "folder": os.path.abspath(os.fsencode(folder or ".")),
        "umask": umask,
        "new_session": bool(new_session),
        "process_group": process_group,
        "controls_terminal": prepare is control_terminal,
        "blocked": [int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, ())],
        "ignored": [int(number) for number in signal.valid_signals() if _is_ignored(number)],
        "places": places,
    }
    if len(b"\0".join(command_line)) >= len(PADDING) or len(marshal.dumps(fields)) > LONGEST:
        return None
    try:
        for number in streams:
            os.fstat(number)
    except OSError:  # a standard stream is closed
        return None
    return options, fields, [*streams, *places[3:]]


def options_of(command_line: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the options of the interpreter in a command line, and the words after them."""
    options: list[str] = []
    _, *words = command_line
    while words and (taken := OPTIONS.get(words[0])):
        options += words[:taken]
        del words[:taken]
    return tuple(options), words


def _is_simple(words: Sequence[str]) -> bool:
    match words:
        case ["-m", module, *_]:
            return module.partition(".")[0] in MODULES
        case ["-c", _, *_]:
            return True
        case [script, *_]:
            return script.endswith(".py") and os.path.isabs(script)
    return False


def _is_ignored(number: int) -> bool:
    # Every interpreter ignores these two.
    return number not in (signal.SIGPIPE, signal.SIGXFSZ) and signal.getsignal(number) is signal.SIG_IGN


def _read_at_start(environment: Mapping[bytes, bytes]) -> Mapping[bytes, bytes]:
    return {
        name: value for name, value in environment.items() if name.startswith(READ_AT_START) and name != b"PYTHONPATH"
    }
